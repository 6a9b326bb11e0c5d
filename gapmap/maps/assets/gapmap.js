/* The page: reads the inert blocks, draws them, shows figures as text. Holds no data and builds no markup from text.
   In: #gapmap-facts, #gapmap-shapes, #gapmap-added and the Leaflet map. Out: the page, and window.gapmap to look at it. */
(function () {
  "use strict";

  // ---- Geodesy: from degrees to the working CRS, as PROJ does it. ----

  const RAD = Math.PI / 180;

  // EPSG method 9820, ellipsoidal Lambert azimuthal equal-area (IOGP guidance note 7-2).
  function laea(crs) {
    const e2 = crs.f * (2 - crs.f), e = Math.sqrt(e2), lat0 = crs.lat0 * RAD;
    const q = (sin) => (1 - e2) * (sin / (1 - e2 * sin * sin) - Math.log((1 - e * sin) / (1 + e * sin)) / (2 * e));
    const qp = q(1), beta0 = Math.asin(q(Math.sin(lat0)) / qp), rq = crs.a * Math.sqrt(qp / 2);
    const sin0 = Math.sin(lat0);
    const d = crs.a * Math.cos(lat0) / Math.sqrt(1 - e2 * sin0 * sin0) / (rq * Math.cos(beta0));
    return function (lat, lon) {
      const beta = Math.asin(Math.max(-1, Math.min(1, q(Math.sin(lat * RAD)) / qp))), away = (lon - crs.lon0) * RAD;
      const b = rq * Math.sqrt(2 / (1 + Math.sin(beta0) * Math.sin(beta) + Math.cos(beta0) * Math.cos(beta) * Math.cos(away)));
      return [
        crs.x0 + b * d * Math.cos(beta) * Math.sin(away),
        crs.y0 + b / d * (Math.cos(beta0) * Math.sin(beta) - Math.sin(beta0) * Math.cos(beta) * Math.cos(away)),
      ];
    };
  }

  // Transverse Mercator by Krueger's series in the third flattening, to the fourth order: below a millimetre in a UTM zone.
  function tmerc(crs) {
    const n = crs.f / (2 - crs.f), e = Math.sqrt(crs.f * (2 - crs.f));
    const radius = crs.a / (1 + n) * (1 + n * n / 4 + n ** 4 / 64);
    const alpha = [
      n / 2 - 2 * n ** 2 / 3 + 5 * n ** 3 / 16 + 41 * n ** 4 / 180,
      13 * n ** 2 / 48 - 3 * n ** 3 / 5 + 557 * n ** 4 / 1440,
      61 * n ** 3 / 240 - 103 * n ** 4 / 140,
      49561 * n ** 4 / 161280,
    ];
    function plane(lat, away) {
      const sin = Math.sin(lat), t = Math.sinh(Math.atanh(sin) - e * Math.atanh(e * sin));
      const xi = Math.atan2(t, Math.cos(away)), eta = Math.asinh(Math.sin(away) / Math.hypot(t, Math.cos(away)));
      let x = eta, y = xi;
      alpha.forEach(function (a, i) {
        const k = 2 * (i + 1);
        x += a * Math.cos(k * xi) * Math.sinh(k * eta);
        y += a * Math.sin(k * xi) * Math.cosh(k * eta);
      });
      return [crs.k0 * radius * x, crs.k0 * radius * y];
    }
    const origin = plane(crs.lat0 * RAD, 0)[1];
    return function (lat, lon) {
      const at = plane(lat * RAD, (lon - crs.lon0) * RAD);
      return [crs.x0 + at[0], crs.y0 + at[1] - origin];
    };
  }

  // ---- Width here: the facet that holds the point, and its rule. ----

  function distance(x, y, ax, ay, bx, by) {
    const dx = bx - ax, dy = by - ay, square = dx * dx + dy * dy;
    const t = square > 0 ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / square)) : 0;
    return Math.hypot(x - ax - t * dx, y - ay - t * dy);
  }

  function inside(x, y, xy, from, to) {
    let odd = false;
    for (let i = from, j = to - 1; i < to; j = i++) {
      const yi = xy[2 * i + 1], yj = xy[2 * j + 1];
      if ((yi > y) !== (yj > y) && x < (xy[2 * j] - xy[2 * i]) * (y - yi) / (yj - yi) + xy[2 * i]) odd = !odd;
    }
    return odd;
  }

  // Facets stand in decimetres; a grid of cells says which to look at.
  function facetIndex(data) {
    const CELL = 10000, total = data.count.length, from = new Int32Array(total + 1);
    for (let i = 0; i < total; i++) from[i + 1] = from[i] + data.count[i];
    const xy = new Float64Array(2 * from[total]), spans = Float64Array.from(data.spans), cells = new Map();
    let x = 0, y = 0, read = 0;
    for (let i = 0; i < total; i++) {
      x += data.first[2 * i];
      y += data.first[2 * i + 1];
      for (let k = 0; k < 8; k += 2) {
        spans[8 * i + k] += x;
        spans[8 * i + k + 1] += y;
      }
      let cx = x, cy = y, west = x, east = x, south = y, north = y;
      for (let v = from[i]; v < from[i + 1]; v++) {
        if (v > from[i]) {
          cx += data.corners[read++];
          cy += data.corners[read++];
        }
        xy[2 * v] = cx;
        xy[2 * v + 1] = cy;
        west = Math.min(west, cx); east = Math.max(east, cx);
        south = Math.min(south, cy); north = Math.max(north, cy);
      }
      for (let a = Math.floor(west / CELL); a <= Math.floor(east / CELL); a++) {
        for (let b = Math.floor(south / CELL); b <= Math.floor(north / CELL); b++) {
          const key = a + ":" + b;
          if (cells.has(key)) cells.get(key).push(i); else cells.set(key, [i]);
        }
      }
    }
    return function (metreX, metreY) {
      const px = metreX * 10, py = metreY * 10;
      const near = cells.get(Math.floor(px / CELL) + ":" + Math.floor(py / CELL)) || [];
      const i = near.find((each) => inside(px, py, xy, from[each], from[each + 1]));
      if (i === undefined) return null;
      const s = spans.subarray(8 * i, 8 * i + 8);
      const d0 = distance(px, py, s[0], s[1], s[2], s[3]), d1 = distance(px, py, s[4], s[5], s[6], s[7]);
      const part = d0 + d1 > 0 ? d0 / (d0 + d1) : 0.5;
      return { width_m: (data.width_start[i] + part * (data.width_end[i] - data.width_start[i])) / 10, stretch: data.stretch[i] };
    };
  }

  // ---- Text and small elements: textContent only. ----

  function make(tag, props, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (name === "text") node.textContent = value;
      else if (name === "class") node.className = value;
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }
  const said = (tag, text, name) => make(tag, { text: text, dir: "auto", class: name || "" });
  const number = (value, digits) => value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const length = (m) => (m < 1000 ? number(m, 0) + " m" : number(m / 1000, 2) + " km");
  const blank = (value) => value === null || value === undefined || value === "";
  function day(iso) {
    const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    const part = iso.split("-");
    return Number(part[2]) + " " + months[part[1] - 1] + " " + part[0];
  }

  // ---- Blocks. ----

  const block = (id) => document.getElementById(id).textContent;
  async function unpack(id) {
    const bytes = Uint8Array.from(atob(block(id)), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }
  function degrees(flat) {
    const out = new Array(flat.length / 2);
    for (let i = 0, lon = 0, lat = 0; i < out.length; i++) {
      lon += flat[2 * i];
      lat += flat[2 * i + 1];
      out[i] = [lat / 1e5, lon / 1e5];
    }
    return out;
  }
  const polygons = (list) => list.map((rings) => rings.map(degrees));
  const lines = (list) => list.map(degrees);

  // ---- Colours and hatches: Okabe and Ito for forces, light to dark for widths; direction tells forces apart in grey. ----

  const FORCES = [
    { colour: "#0072b2", hatch: "/" }, { colour: "#009e73", hatch: "\\" }, { colour: "#aa4499", hatch: "-" },
    { colour: "#56b4e9", hatch: "|" }, { colour: "#6b6b6b", hatch: "+" },
  ];
  const WIDTHS = ["#ffeda8", "#fdc24f", "#f08a24", "#c24e14", "#7a2310"];
  const BEYOND = { colour: "#4a4038", hatch: "x" };
  const SIZE = 10;

  function pattern(colour, hatch, tint, stroke) {
    const tile = make("canvas", { width: 2 * SIZE, height: 2 * SIZE }), ink = tile.getContext("2d");
    ink.scale(2, 2);
    ink.globalAlpha = tint;
    ink.fillStyle = colour;
    ink.fillRect(0, 0, SIZE, SIZE);
    ink.globalAlpha = stroke;
    ink.strokeStyle = colour;
    ink.lineWidth = 1.3;
    const path = new Path2D(), h = SIZE / 2;
    if ("/x".includes(hatch)) for (const o of [-SIZE, 0, SIZE]) { path.moveTo(o, SIZE); path.lineTo(o + SIZE, 0); }
    if ("\\x".includes(hatch)) for (const o of [-SIZE, 0, SIZE]) { path.moveTo(o, 0); path.lineTo(o + SIZE, SIZE); }
    if ("-+".includes(hatch)) { path.moveTo(0, h); path.lineTo(SIZE, h); }
    if ("|+".includes(hatch)) { path.moveTo(h, 0); path.lineTo(h, SIZE); }
    if (hatch === ".") { ink.fillStyle = colour; ink.fillRect(h - 1, h - 1, 1.7, 1.7); }
    ink.stroke(path);
    const out = ink.createPattern(tile, "repeat");
    out.setTransform(new DOMMatrix().scale(0.5));
    return out;
  }

  // ---- Incidents, places and their labels on one canvas of their own. ----

  const Marks = L.Canvas.extend({
    draw: null,
    _updatePaths: function () {
      if (!this._map || !this.draw) return;
      const size = this._bounds.getSize(), ink = this._ctx;
      ink.clearRect(this._bounds.min.x, this._bounds.min.y, size.x, size.y);
      this.draw(ink, this._bounds);
    },
  });

  function main(facts, shapes, added, map) {
    const project = facts.crs.kind === "laea" ? laea(facts.crs) : tmerc(facts.crs);
    const facetAt = facetIndex(shapes.facets);
    const stretches = facts.stretches, byStretch = new Map(stretches.map((row, i) => [row.id, i]));
    const corridors = new Map(facts.corridors.map((row) => [row.id, row]));
    const labels = new Map(facts.forces.map((row) => [row.key, row.label]));
    const limit = length(facts.run.max_width_m).replace(".00", "");
    const label = (force) => labels.get(force) || force;
    let selected = null, opener = null;

    // Panes from the ground up; none takes the pointer, the map answers every click itself.
    const panes = {};
    [["relief", 200], ["ground", 320], ["select", 430], ["marks", 450]].forEach(function ([name, z]) {
      const pane = map.createPane("gap-" + name);
      pane.classList.add("gap");
      pane.style.zIndex = z;
      panes[name] = "gap-" + name;
    });
    const ground = L.canvas({ pane: panes.ground, padding: 0.3 });
    const onTop = L.canvas({ pane: panes.select, padding: 0.3 });
    const marks = new Marks({ pane: panes.marks, padding: 0.3 });
    const area = (list, style) => L.polygon(polygons(list), { renderer: ground, interactive: false, stroke: false, fillOpacity: 1, fillRule: "evenodd", smoothFactor: 0.8, ...style });
    const line = (list, style) => L.polyline(lines(list), { renderer: ground, interactive: false, smoothFactor: 1, ...style });

    // ---- Layers, from the bottom to the top of the drawing. ----
    const layers = [];
    function layer(id, name, parts, swatch, shown) {
      layers.push({ id: id, name: name, parts: parts, swatch: swatch, shown: shown !== false, row: null });
    }
    const filled = (colour, hatch, tint, stroke) => ({ fillColor: pattern(colour, hatch, tint, stroke) });
    if (facts.relief.length) {
      layer("relief", "Relief", facts.relief.map((r) => L.imageOverlay(r.image, r.bounds, { pane: panes.relief, interactive: false, opacity: 0.85 })),
        { grey: true });
    }
    const quiet = shapes.ground;
    if (quiet.excluded.length) layer("excluded", "Left out", [area(quiet.excluded, filled("#7f8b95", "-", 0.35, 0.6))], filled("#7f8b95", "-", 0.35, 0.6));
    if (quiet.interior.length) layer("interior", "Gap inside one force", [area(quiet.interior, filled("#5d5d5d", ".", 0.06, 0.75))], filled("#5d5d5d", ".", 0.06, 0.75));
    facts.forces.forEach(function (force, i) {
      const look = FORCES[i % FORCES.length], style = filled(look.colour, look.hatch, 0.2, 0.5);
      layer("cover:" + force.key, force.label + ": declared cover",
        [area(shapes.cover[i], { ...style, stroke: true, color: look.colour, weight: 1.3, opacity: 0.9 })], { ...style, color: look.colour });
    });
    if (quiet.overlap.length) {
      const style = filled("#3b3b3b", ".", 0.14, 0.8);
      layer("overlap", "Held by two forces or more", [area(quiet.overlap, { ...style, stroke: true, color: "#3b3b3b", weight: 0.8, dashArray: "3 3" })], { ...style, color: "#3b3b3b" });
    }
    if (quiet.beyond.length) {
      const style = filled(BEYOND.colour, BEYOND.hatch, 0.1, 0.55);
      layer("beyond", "Wider than the limit of " + limit, [area(quiet.beyond, { ...style, stroke: true, color: BEYOND.colour, weight: 1 })], { ...style, color: BEYOND.colour });
    }
    layer("corridors", "Corridors, by width here",
      shapes.bands.map((band, i) => area(band, { fillColor: WIDTHS[i], fillOpacity: 0.88 })).concat(
        shapes.stretches.map((rings) => area(rings, { fill: false, stroke: true, color: "#5b3a22", weight: 0.8, opacity: 0.8 }))),
      { widths: true });
    const BORDERS = { weight: 1.1, color: "#555", opacity: 0.75, dashArray: "6 4" };
    if (shapes.boundaries.length) {
      layer("boundaries", "Boundaries", shapes.boundaries.map((each) => line(each.lines, each.rows === 1 ? { ...BORDERS, weight: 2, opacity: 0.6, dashArray: null } : BORDERS)), { line: BORDERS });
    }
    const across = shapes.transects;
    if (across.ids.length) {
      const style = { weight: 1, color: "#2b2b2b", opacity: 0.55 };
      layer("transects", "Measuring lines", [line(across.lines.flat(), style)], { line: style }, false);
    }
    if (shapes.centrelines.length) {
      const style = { weight: 2, color: "#111", opacity: 0.85 };
      layer("centrelines", "Middle lines", [line(shapes.centrelines, style)], { line: style });
    }
    const drawn = { places: true, incidents: true };
    const flag = (name) => ({ addTo: () => { drawn[name] = true; redraw(); }, remove: () => { drawn[name] = false; redraw(); } });
    if (facts.places.length) layer("places", "Places", [flag("places")], { mark: drawPlace });
    if (facts.incidents.length) layer("incidents", "Incidents", [flag("incidents")], { mark: drawIncident });
    added.forEach(function (extra) {
      const own = window[extra.variable];
      if (own) layer("added:" + extra.variable, extra.title, [own], {}, extra.shown);
    });

    function show(entry, on) {
      entry.shown = on;
      entry.parts.forEach((part) => (on ? part.addTo(map) : part.remove()));
      // A path put back lands on top of the canvas: restore the order.
      if (on) layers.forEach((each) => each.shown && each.parts.forEach((part) => part.bringToFront && part._renderer === ground && part.bringToFront()));
      if (entry.row) {
        entry.row.classList.toggle("off", !on);
        entry.row.querySelector("input").checked = on;
        if (entry.id === "corridors") document.querySelector(".classes").classList.toggle("off", !on);
      }
    }

    // ---- Marks. ----
    function drawIncident(ink, x, y, big, r) {
      r = big ? 7 : r;
      ink.beginPath();
      ink.moveTo(x, y - r); ink.lineTo(x + r, y + r * 0.8); ink.lineTo(x - r, y + r * 0.8); ink.closePath();
      ink.lineJoin = "round";
      ink.lineWidth = r / 2.2; ink.strokeStyle = "#fff"; ink.stroke();
      ink.fillStyle = "#111"; ink.fill();
    }
    function drawPlace(ink, x, y, big, population) {
      ink.beginPath();
      ink.arc(x, y, (population > 100000 ? 4.5 : population > 10000 ? 3.5 : 2.8) + (big ? 2 : 0), 0, 7);
      ink.fillStyle = "#fff"; ink.fill();
      ink.lineWidth = 1.5; ink.strokeStyle = "#222"; ink.stroke();
    }
    const places = facts.places.map((row, i) => i).sort((a, b) => (facts.places[b].population || 0) - (facts.places[a].population || 0) || a - b);
    const labelled = (row, zoom) => row.population > 400000 || zoom >= 7 && row.population > 80000 || zoom >= 8 && row.population > 20000 || zoom >= 9;
    marks.draw = function (ink, bounds) {
      const zoom = map.getZoom(), spot = (row) => map.latLngToLayerPoint([row.lat, row.lon]);
      if (drawn.incidents) {
        const r = Math.max(2.2, Math.min(5.5, zoom - 4.5));  // small from afar, so that corridors show between them
        facts.incidents.forEach(function (row, i) {
          const p = spot(row);
          if (bounds.contains(p)) drawIncident(ink, p.x, p.y, selected === "incident:" + i, r);
        });
      }
      if (!drawn.places) return;
      const seen = places.filter((i) => labelled(facts.places[i], zoom) || selected === "place:" + i)
        .map((i) => ({ i: i, row: facts.places[i], p: spot(facts.places[i]) })).filter((each) => bounds.contains(each.p));
      // Discs first: no label may cover one.
      const taken = seen.map(({ i, row, p }) => {
        drawPlace(ink, p.x, p.y, selected === "place:" + i, row.population);
        return [p.x - 5, p.y - 5, p.x + 5, p.y + 5];
      });
      ink.textBaseline = "middle";
      ink.textAlign = "left";
      ink.lineJoin = "round";
      ink.lineWidth = 3.5;
      seen.forEach(function ({ row, p }) {
        ink.font = (row.population > 100000 ? "600 13px" : "12px") + " system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Arabic', sans-serif";
        const wide = ink.measureText(row.name).width + 4;
        const box = [[7, -8], [-7 - wide, -8], [-wide / 2, -22], [-wide / 2, 7]].map(([dx, dy]) => [p.x + dx, p.y + dy, p.x + dx + wide, p.y + dy + 16])
          .find((b) => taken.every((t) => b[0] > t[2] || b[2] < t[0] || b[1] > t[3] || b[3] < t[1]));
        if (!box) return;
        taken.push(box);
        ink.strokeStyle = "rgba(255,255,255,.92)";
        ink.strokeText(row.name, box[0] + 2, box[1] + 8);
        ink.fillStyle = "#1a1a1a";
        ink.fillText(row.name, box[0] + 2, box[1] + 8);
      });
    };
    function redraw() { if (marks._map && marks._bounds) marks._updatePaths(); }

    // ---- Details. ----
    const details = document.getElementById("details"), highlight = L.layerGroup().addTo(map);
    function figures(rows) {
      const list = make("dl");
      rows.forEach(function ([key, name, text, value]) {
        if (blank(text)) return;
        list.append(make("dt", { text: name }), make("dd", { text: text, dir: "auto", "data-key": key, "data-value": blank(value) ? text : value }));
      });
      return list;
    }
    function measures(row) {
      const km = (value) => (blank(value) ? null : number(value, 1) + " km");
      return [
        ["width_min_m", "Narrowest", blank(row.width_min_m) ? null : length(row.width_min_m), row.width_min_m],
        ["width_mean_m", "Mean width", blank(row.width_mean_m) ? null : length(row.width_mean_m), row.width_mean_m],
        ["width_max_m", "Widest", blank(row.width_max_m) ? null : length(row.width_max_m), row.width_max_m],
        ["length_km", "Length", km(row.length_km), row.length_km],
        ["area_km2", "Area", blank(row.area_km2) ? null : number(row.area_km2, 1) + " km²", row.area_km2],
        ["incidents_count", "Incidents (plain count)", number(row.incidents_count, 0), row.incidents_count],
        ["incidents_certain", "of these surely inside", row.incidents_count ? number(row.incidents_certain, 0) : null, row.incidents_certain],
        ["location_radius_median_m", "Their positions are good to", blank(row.location_radius_median_m) ? null : length(row.location_radius_median_m) + " (median)", row.location_radius_median_m],
        ["deaths_best", "Deaths (plain count)", row.deaths_best ? number(row.deaths_best, 0) : null, row.deaths_best],
        ["last_incident", "Last incident", row.last_incident ? day(row.last_incident) : null, row.last_incident],
        ["places", "Places", number(row.places, 0), row.places],
        ["population", "People in them", row.population ? number(row.population, 0) : null, row.population],
      ];
    }
    const facing = (row) => figures([
      ["facing_a", "Zones of " + label(row.force_a), row.facing_a],
      ["facing_b", "Zones of " + label(row.force_b), row.facing_b],
    ]);
    function open(title, nodes) {
      const close = make("button", { type: "button", class: "close", "aria-label": "Close details", text: "✕" });
      close.addEventListener("click", () => clear(true));
      details.replaceChildren(said("h2", title), close, ...nodes);
      details.hidden = false;
      details.parentElement.scrollTop = 0;
    }
    function clear(giveBack) {
      if (giveBack && opener && opener.isConnected) opener.focus();
      selected = null;
      opener = null;
      details.hidden = true;
      details.replaceChildren();
      highlight.clearLayers();
      rows.forEach((row) => row.setAttribute("aria-selected", "false"));
      redraw();
    }
    const method = () => said("p", "Method: straight spans over uncovered ground, none longer than " + limit
      + (facts.run.date ? "; zones that count on " + day(facts.run.date) : "") + ".", "small");
    function hereText(here, at) {
      const text = here ? "Width here: " + length(here.width_m) : "Width here: outside every corridor";
      return [make("p", { class: "here", text: text, "data-key": "width_here_m", "data-value": here ? here.width_m : "" }), said("p", position(at), "small")];
    }
    function openStretch(i, at, here) {
      const row = stretches[i], corridor = corridors.get(row.corridor_id);
      clear(false);
      selected = row.id;
      highlight.addLayer(L.polygon(polygons(shapes.stretches[i]), { renderer: onTop, interactive: false, fill: false, color: "#000", weight: 3 }));
      if (at) spot(at);
      rows.forEach((each, k) => each.setAttribute("aria-selected", String(k === i)));
      const nodes = at ? hereText(here, at) : [];
      nodes.push(said("p", label(row.force_a) + " and " + label(row.force_b), "small"), figures(measures(row)), make("h3", { text: "Facing each other here" }), facing(row));
      if (row.near_limit) nodes.push(said("p", "Part of it is so near the limit that a small change of input could open or close it.", "small"));
      if (corridor) {
        nodes.push(make("h3", {}, "The whole corridor: ", said("bdi", corridor.name || corridor.id)));
        nodes.push(make("div", { "data-corridor": corridor.id }, figures(measures(corridor)),
          make("details", {}, make("summary", { text: "All zones it lies between" }), facing(corridor))));
      }
      nodes.push(method());
      open(row.name || row.id, nodes);
    }
    function spot(at) {
      highlight.addLayer(L.circleMarker(at, { renderer: onTop, interactive: false, radius: 6, color: "#fff", weight: 4, fill: false }));
      highlight.addLayer(L.circleMarker(at, { renderer: onTop, interactive: false, radius: 6, color: "#000", weight: 2, fill: false }));
    }
    const place = (id) => (byStretch.has(id) ? stretches[byStretch.get(id)].name || id : id);
    const GROUND = { covered: "declared cover", overlap: "held by two forces or more", corridor: "corridor", beyond: "wider than the limit", interior: "gap inside one force", excluded: "left out", open: "other ground" };
    function openIncident(i) {
      const row = facts.incidents[i];
      clear(false);
      selected = "incident:" + i;
      if (row.location_radius_m > 0) highlight.addLayer(L.circle([row.lat, row.lon], { renderer: onTop, interactive: false, radius: row.location_radius_m, color: "#111", weight: 1.5, dashArray: "4 4", fillOpacity: 0.06 }));
      const dates = [row.date_from, row.date_to].filter((each, k, all) => each && all.indexOf(each) === k).map(day).join(" to ");
      const nodes = [figures([
        ["date", "Date", dates],
        ["kind", "Kind", row.kind],
        ["deaths_best", "Deaths", blank(row.deaths_best) ? null : number(row.deaths_best, 0) + (row.deaths_low !== row.deaths_high && !blank(row.deaths_low) && !blank(row.deaths_high) ? " (" + number(row.deaths_low, 0) + " to " + number(row.deaths_high, 0) + ")" : ""), row.deaths_best],
        ["civilians", "Civilians the target", blank(row.civilians) ? null : row.civilians ? "yes" : "no"],
        ["location_precision", "Position", row.location_precision ? row.location_precision + (row.location_radius_m ? ", within " + length(row.location_radius_m) : "") : null],
        ["ground", "Lies on", GROUND[row.ground] || row.ground],
        ["stretch_id", "Stretch", row.stretch_id ? place(row.stretch_id) : null],
      ])];
      if (row.note) nodes.push(make("h3", { text: "Note" }), make("p", { text: row.note, dir: "auto", class: "note", "data-key": "note" }));
      const at = L.latLng(row.lat, row.lon);
      nodes.push(...hereText(widthHere(row.lat, row.lon), at));
      open("Incident", nodes);
      redraw();
    }
    function openPlace(i) {
      const row = facts.places[i];
      clear(false);
      selected = "place:" + i;
      const list = [
        ["names", "Also written", row.names.filter((name) => name !== row.name).join(", ")],
        ["population", "People", blank(row.population) ? "not known" : number(row.population, 0), row.population],
        ["ground", "Lies on", GROUND[row.ground] || row.ground],
        ["stretch_id", "Stretch", row.stretch_id ? place(row.stretch_id) : null],
        ["width_here_m", "Width here", blank(row.width_here_m) ? null : length(row.width_here_m), row.width_here_m],
      ];
      facts.forces.forEach(function (force) {
        const far = row["distance_" + force.key + "_m"], zone = row["nearest_zone_" + force.key];
        if (!blank(far)) list.push(["distance_" + force.key + "_m", "To " + force.label, (far > 0 ? length(far) : "inside its cover") + (zone ? " (" + zone + ")" : ""), far]);
      });
      open(row.name || row.id, [figures(list), said("p", position(L.latLng(row.lat, row.lon)), "small")]);
      redraw();
    }

    // ---- Width here and position. ----
    function widthHere(lat, lon) {
      const at = project(lat, lon);
      return facetAt(at[0], at[1]);
    }
    const position = (at) => Math.abs(at.lat).toFixed(4) + "° " + (at.lat < 0 ? "S" : "N") + ", " + Math.abs(at.lng).toFixed(4) + "° " + (at.lng < 0 ? "W" : "E");
    const cursor = document.getElementById("cursor");
    map.on("mousemove", function (event) {
      const here = widthHere(event.latlng.lat, event.latlng.lng);
      cursor.textContent = position(event.latlng) + (here ? " · width here " + length(here.width_m) : "");
    });
    map.on("mouseout", () => { cursor.textContent = ""; });
    function nearest(list, point, reach, wanted) {
      let best = -1, least = reach;
      list.forEach(function (row, i) {
        const d = map.latLngToLayerPoint([row.lat, row.lon]).distanceTo(point);
        if (d < least && wanted(row)) { best = i; least = d; }
      });
      return best;
    }
    map.on("click", function (event) {
      const zoom = map.getZoom(), reach = L.Browser.mobile ? 18 : 10;
      const i = drawn.incidents ? nearest(facts.incidents, event.layerPoint, reach, () => true) : -1;
      if (i >= 0) return openIncident(i);
      const p = drawn.places ? nearest(facts.places, event.layerPoint, reach, (row) => labelled(row, zoom)) : -1;
      if (p >= 0) return openPlace(p);
      const here = widthHere(event.latlng.lat, event.latlng.lng);
      if (here && here.stretch >= 0) return openStretch(here.stretch, event.latlng, here);
      clear(false);
      selected = "point";
      spot(event.latlng);
      open("Here", hereText(here, event.latlng));
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !details.hidden) clear(true); });

    // ---- The list of stretches: the way in for the keyboard. ----
    const rows = [];
    function goTo(i) {
      const bounds = L.polygon(polygons(shapes.stretches[i])).getBounds();
      map.fitBounds(bounds, { padding: [40, 40], maxZoom: 12, animate: false });
    }
    (function list() {
      const box = document.getElementById("list");
      if (!stretches.length) return void box.append(make("p", { text: "There is no corridor, so there is no stretch." }));
      const table = make("table"), body = make("tbody");
      const head = (text, name) => make("th", { scope: "col", text: text, class: name || "" });
      table.append(make("thead", {}, make("tr", {}, head("Name"), head("Mean", "number"), head("Widest", "number"), head("Length", "number"), head("Inc.*", "number"))), body);
      stretches.forEach(function (row, i) {
        const button = make("button", { type: "button", text: row.name || row.id, dir: "auto" });
        const short = (m) => (blank(m) ? "" : number(m / 1000, 1));
        const tr = make("tr", { "aria-selected": "false", "data-id": row.id }, make("td", {}, button),
          make("td", { class: "number", text: short(row.width_mean_m) }), make("td", { class: "number", text: short(row.width_max_m) }),
          make("td", { class: "number", text: blank(row.length_km) ? "" : number(row.length_km, 1) }), make("td", { class: "number", text: number(row.incidents_count, 0) }));
        button.addEventListener("click", function () {
          goTo(i);
          openStretch(i);
          opener = button;
          details.focus({ preventScroll: true });
          if (matchMedia("(max-width: 800px)").matches) document.getElementById("stage").scrollIntoView();
        });
        rows.push(tr);
        body.append(tr);
      });
      box.append(table, said("p", "Widths and length in km. * Incidents: plain count of positions inside.", "small"));
    })();

    // ---- Legend and layer control in one, top layer first. ----
    function swatch(look) {
      const canvas = make("canvas", { width: 68, height: 36, "aria-hidden": "true" }), ink = canvas.getContext("2d");
      ink.scale(2, 2);
      if (look.widths) WIDTHS.forEach((colour, i) => { ink.fillStyle = colour; ink.fillRect(i * 6.8, 0, 7, 18); });
      else if (look.line) {
        ink.setLineDash((look.line.dashArray || "").split(" ").filter(Boolean).map(Number));
        ink.strokeStyle = look.line.color; ink.lineWidth = look.line.weight; ink.globalAlpha = look.line.opacity;
        ink.beginPath(); ink.moveTo(0, 9); ink.lineTo(34, 9); ink.stroke();
      } else if (look.mark) look.mark(ink, 17, 9, false, 5);
      else if (look.grey) {
        const shade = ink.createLinearGradient(0, 0, 34, 0);
        shade.addColorStop(0, "#fff"); shade.addColorStop(0.5, "#bbb"); shade.addColorStop(1, "#666");
        ink.fillStyle = shade; ink.fillRect(0, 0, 34, 18);
      } else if (look.fillColor) {
        ink.fillStyle = "#fff"; ink.fillRect(0, 0, 34, 18);
        ink.fillStyle = look.fillColor; ink.fillRect(0, 0, 34, 18);
        ink.strokeStyle = look.color || "rgba(0,0,0,0)"; ink.lineWidth = 1.5; ink.strokeRect(0.5, 0.5, 33, 17);
      }
      return canvas;
    }
    layers.slice().reverse().forEach(function (entry) {
      const input = make("input", { type: "checkbox", "data-layer": entry.id });
      input.addEventListener("change", () => show(entry, input.checked));
      entry.row = make("div", { class: "layer" }, make("label", {}, input, swatch(entry.swatch), said("span", entry.name)));
      const box = document.getElementById("layers");
      box.append(entry.row);
      if (entry.id === "corridors") {
        const classes = make("ul", { class: "classes", "aria-label": "Classes of width in km" });
        facts.classes.forEach(function ([from, to], i) {
          const colour = make("i");
          colour.style.background = WIDTHS[i];
          const edge = (m) => String(Math.round(m) / 1000);
          classes.append(make("li", { "data-class": i }, colour, edge(from) + "–" + edge(to)));
        });
        classes.append(make("li", { class: "unit", text: "Width here in km" }));
        box.append(classes);
      }
    });
    if (!facts.incidents_shared) document.getElementById("layers").append(said("p", "Incidents are shared as counts only: their positions are not in this file.", "small"));

    // ---- Words around the map. ----
    const run = facts.run;
    document.getElementById("date").textContent = run.date ? "Zones that count on " + day(run.date) : "";
    if (run.notice) {
      const notice = document.getElementById("notice");
      [12, 37, 62, 87].forEach(function (top) {
        const row = make("div");
        row.style.top = top + "%";
        for (let k = 0; k < 3; k++) row.append(said("span", run.notice));
        notice.append(row);
      });
    }
    const versions = Object.entries(run.versions).map(([name, value]) => name + " " + value);
    const sources = run.inputs.map((item) => item.name + (blank(item.used) ? "" : " (" + item.used + " of " + item.rows + " rows)"));
    const provenance = document.getElementById("provenance");
    [sources.length ? "From " + sources.join(", ") + "." : "", "Corridors: spans up to " + limit + " over uncovered ground, measured in " + run.crs + ".",
      versions.length ? versions[0] + "." : "", ...run.attributions, "Boundaries as published by their source, not a claim.", run.notice].filter(Boolean)
      .forEach((text) => provenance.append(said("bdi", text), " "));
    (function made() {
      const box = document.getElementById("made");
      run.inputs.forEach(function (item) {
        box.append(said("h3", [item.role, item.name].filter(Boolean).join(": ")), figures([
          ["used", "Rows used", blank(item.used) ? null : item.used + " of " + item.rows],
          ["set_aside", "Set aside", item.set_aside ? String(item.set_aside) : null],
          ["repaired", "Repaired", item.repaired ? String(item.repaired) : null],
          ["sha256", "SHA-256", item.sha256 ? item.sha256.slice(0, 16) + "…" : null, item.sha256],
        ]));
      });
      box.append(method(), said("p", versions.join(", "), "small"));
    })();

    // ---- Go. ----
    L.control.scale({ imperial: false, maxWidth: 140, position: "bottomright" }).addTo(map);
    marks.addTo(map);
    layers.forEach((entry) => show(entry, entry.shown));
    const full = L.latLngBounds(facts.bounds);
    map.invalidateSize({ animate: false });
    map.fitBounds(full, { padding: [12, 12], animate: false });
    let seen = null;
    window.addEventListener("beforeprint", function () {
      seen = map.getBounds();
      map.invalidateSize({ animate: false });
      map.fitBounds(seen, { animate: false });
    });
    window.addEventListener("afterprint", function () {
      map.invalidateSize({ animate: false });
      if (seen) map.fitBounds(seen, { animate: false });
    });

    return {
      state: () => ({ selected: selected, layers: Object.fromEntries(layers.map((entry) => [entry.id, entry.shown])), centre: [map.getCenter().lat, map.getCenter().lng], zoom: map.getZoom() }),
      layers: () => layers.map((entry) => ({ id: entry.id, name: entry.name, shown: entry.shown })).reverse(),
      select: function (id) {
        const i = byStretch.get(id);
        if (i === undefined) return false;
        goTo(i);
        openStretch(i);
        return true;
      },
      widthAt: function (lat, lon) {
        const here = widthHere(lat, lon);
        return here && { width_m: here.width_m, stretch_id: here.stretch >= 0 ? stretches[here.stretch].id : "" };
      },
      project: project,
      pixel: (lat, lon) => { const p = map.latLngToContainerPoint([lat, lon]); return [p.x, p.y]; },
    };
  }

  let api = null, failed = "";
  window.gapmap = Object.freeze({
    get ready() { return api !== null; },
    get failed() { return failed; },
    state: () => api.state(),
    layers: () => api.layers(),
    select: (id) => api.select(id),
    widthAt: (lat, lon) => api.widthAt(lat, lon),
    project: (lat, lon) => api.project(lat, lon),
    pixel: (lat, lon) => api.pixel(lat, lon),
  });
  unpack("gapmap-shapes").then(function (shapes) {
    api = main(JSON.parse(block("gapmap-facts")), shapes, JSON.parse(block("gapmap-added")), window.map_gapmap);
  }).catch(function (error) {
    failed = String(error && error.stack || error);
    document.getElementById("headline").append(make("strong", { class: "warning", text: " The map could not be drawn in this browser." }));
    console.error(failed);
  });
})();
