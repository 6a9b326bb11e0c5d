/* The page: reads the inert blocks, draws them, shows figures as text. Holds no data and builds no markup from text.
   In: the blocks #gapmap-*, the Leaflet map, geodesy.js and points.js. Out: the page, and window.gapmap to look at it. */
(function () {
  "use strict";

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
    const CELL = 20000, total = data.count.length, from = new Int32Array(total + 1);
    for (let i = 0; i < total; i++) from[i + 1] = from[i] + data.count[i];
    const xy = new Float64Array(2 * from[total]), spans = new Float64Array(8 * total), cells = new Map();
    let x = 0, y = 0, read = 0, loose = 0;
    for (let i = 0; i < total; i++) {
      x += data.first[2 * i];
      y += data.first[2 * i + 1];
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
      for (let k = 0; k < 4; k++) {
        const corner = data.ends[4 * i + k], v = from[i] + corner;
        spans[8 * i + 2 * k] = corner < 0 ? x + data.loose[loose++] : xy[2 * v];
        spans[8 * i + 2 * k + 1] = corner < 0 ? y + data.loose[loose++] : xy[2 * v + 1];
      }
      for (let a = Math.floor(west / CELL); a <= Math.floor(east / CELL); a++) {
        for (let b = Math.floor(south / CELL); b <= Math.floor(north / CELL); b++) {
          const key = a * 65536 + b;
          if (cells.has(key)) cells.get(key).push(i); else cells.set(key, [i]);
        }
      }
    }
    return function (metreX, metreY) {
      const px = metreX * 10, py = metreY * 10;
      const near = cells.get(Math.floor(px / CELL) * 65536 + Math.floor(py / CELL)) || [];
      const i = near.find((each) => inside(px, py, xy, from[each], from[each + 1]));
      if (i === undefined) return null;
      const s = spans.subarray(8 * i, 8 * i + 8);
      const d0 = distance(px, py, s[0], s[1], s[2], s[3]), d1 = distance(px, py, s[4], s[5], s[6], s[7]);
      const part = d0 + d1 > 0 ? d0 / (d0 + d1) : 0.5;
      return { width_m: (data.width_start[i] + part * (data.width_end[i] - data.width_start[i])) / 10, stretch: data.stretch[i] };
    };
  }

  // ---- Text and small elements: textContent only. ----

  const block = (id) => document.getElementById(id).textContent;
  const words = JSON.parse(block("gapmap-words"));
  const NUMBERS = [0, 1, 2].map((digits) => new Intl.NumberFormat("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  const number = (value, digits) => NUMBERS[digits || 0].format(value);
  // A sentence of the catalogue; values stand isolated, so that a number and its unit keep their order among Arabic words.
  function t(key, values) {
    return words[key].replace(/\{(\w+)\}/g, (mark, name) => "\u2068" + values[name] + "\u2069");
  }
  // The same as nodes, each value in a bdi.
  function rich(key, values) {
    return words[key].split(/\{(\w+)\}/).map((part, i) => (i % 2 ? make("bdi", { text: values[part] }) : part)).filter((part) => part !== "");
  }
  function make(tag, props, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (name === "text") node.textContent = value;
      else if (name === "class") node.className = value;
      else if (name === "on") for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }
  // Texts in a row, each with its own direction.
  const apart = (texts, between) => texts.flatMap((text, k) => [...(k ? [between] : []), make("bdi", { text: text })]);
  const COMMA = words.rtl ? "، " : ", ", SEMICOLON = words.rtl ? "؛ " : "; ";
  const said = (tag, text, name) => make(tag, { text: text, dir: "auto", class: name || "" });
  const small = (key, values) => make("p", { class: "small" }, ...rich(key, values || {}));
  const plain = (key, m) => words[key].replace("{n}", m);
  const length = (m) => (m < 1000 ? plain("m", number(m)) : plain("km", number(m / 1000, 2)));
  const km = (value, digits) => plain("km", number(value, digits));
  const km2 = (value) => plain("km2", number(value, 1));
  const blank = (value) => value === null || value === undefined || value === "";
  function day(iso) {
    const part = iso.split("-");
    return Number(part[2]) + " " + words.months.split(" ")[part[1] - 1].replace("-", " ") + " " + part[0];
  }

  // ---- Blocks. ----

  async function inflate(text) {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }
  const unpack = async (text) => JSON.parse(new TextDecoder().decode(await inflate(text)));

  // ---- Places on the page: parts of the world as Leaflet's Mercator has it; paths in pixels of zoom 10 around a centre. ----

  const mercator = (lat, lon) => [(lon + 180) / 360, (1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2];
  const degreesAt = (x, y) => [Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI, x * 360 - 180];
  const UNIT = 256 * 1024;

  // ---- Colours and hatches: Okabe and Ito for forces, light to dark for widths; direction tells forces apart in grey. ----

  const FORCES = [
    { colour: "#0072b2", hatch: "/" }, { colour: "#009e73", hatch: "\\" }, { colour: "#882255", hatch: "-" },
    { colour: "#56b4e9", hatch: "|" }, { colour: "#1a1a1a", hatch: "+" },
  ];
  const WIDTHS = ["#fff3bf", "#fdc24f", "#e87a18", "#b43f0d", "#5f1204"];
  const BEYOND = { colour: "#4a4038", hatch: "x" };
  const GAINED = { colour: "#5b1a8b", hatch: "\\" }, LOST = { colour: "#0b3d4f", hatch: "/" };
  // Kinds of incident: form first, so that they differ in grey.
  const KINDS = [["triangle", "#111111"], ["square", "#6a1b9a"], ["diamond", "#0b4f8a"], ["disc", "#8c1d40"], ["cross", "#111111"], ["bar", "#333333"]];
  const SIZE = 10, FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Arabic', sans-serif";

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

  // ---- A canvas of its own, drawn by one function. ----

  const Drawing = L.Canvas.extend({
    draw: null,
    _updatePaths: function () {
      if (!this._map || !this.draw || !this._bounds) return;
      const { min, max } = this._bounds, ink = this._ctx;
      ink.clearRect(min.x, min.y, max.x - min.x, max.y - min.y);
      ink.save();
      this.draw(ink, this._bounds);
      ink.restore();
    },
  });

  function main(facts, shapes, points, notes, ids, added, map) {
    const project = facts.crs.kind === "laea" ? GapGeodesy.laea(facts.crs) : GapGeodesy.tmerc(facts.crs);
    let facetAt = null;  // made when first asked for: with many facets it takes a moment
    const stretches = facts.stretches, byStretch = new Map(stretches.map((row, i) => [row.id, i]));
    const corridors = new Map(facts.corridors.map((row) => [row.id, row]));
    const labels = new Map(facts.forces.map((row) => [row.key, row.label]));
    const limit = km(facts.run.max_width_m / 1000, Number.isInteger(facts.run.max_width_m / 1000) ? 0 : 2);
    const limitKm = facts.run.max_width_m / 1000;
    const label = (force) => labels.get(force) || force;
    const nameOf = (row) => row.label || row.name || row.id;  // label: the name in the words of the page, where it is made of words
    const box = (id) => document.getElementById(id);
    const meta = facts.points, kinds = meta ? meta.kinds : [];
    let selected = null, opener = null, area = null, clicked = [], sort = { key: "", up: true };

    // ---- State of the filters. ----
    const all = () => ({ kinds: null, deaths: 0, civilians: false, listed: false, pair: "", width_km: 0 });
    let filters = all(), span = null;  // span: first and last day shown, as days after the first; null for all
    const keeps = stretches.map(() => true);

    // ---- Geometry for drawing. ----
    const centre = mercator((facts.bounds[0][0] + facts.bounds[1][0]) / 2, (facts.bounds[0][1] + facts.bounds[1][1]) / 2);
    function local(flat) {
      const out = new Float64Array(flat.length);
      for (let i = 0, lon = 0, lat = 0; i < flat.length; i += 2) {
        lon += flat[i];
        lat += flat[i + 1];
        const at = mercator(lat / 1e5, lon / 1e5);
        out[i] = (at[0] - centre[0]) * UNIT;
        out[i + 1] = (at[1] - centre[1]) * UNIT;
      }
      return out;
    }
    const latLng = (x, y) => degreesAt(x / UNIT + centre[0], y / UNIT + centre[1]);
    // Lines of a shape at the detail of a zoom; paths are kept, since most moves keep the zoom.
    function shape(rings, closed) {
      const flat = rings.map(local), kept = new Map();
      function at(bucket) {
        if (kept.has(bucket)) return kept.get(bucket);
        const path = new Path2D(), step = bucket > 13 ? 0 : 0.6 / 2 ** (bucket - 10);
        for (const xy of flat) {
          let x = xy[0], y = xy[1];
          path.moveTo(x, y);
          for (let i = 2; i < xy.length; i += 2) {
            if (i < xy.length - 2 && Math.abs(xy[i] - x) < step && Math.abs(xy[i + 1] - y) < step) continue;
            x = xy[i];
            y = xy[i + 1];
            path.lineTo(x, y);
          }
          if (closed) path.closePath();
        }
        kept.set(bucket, path);
        return path;
      }
      return { flat: flat, at: at };
    }
    const areas = (polygons) => shape(polygons.flat(), true);
    // Several shapes, of which a filter shows some.
    function some(parts) {
      const kept = new Map(), whole = new Map();
      return {
        forget: () => kept.clear(),
        at: function (bucket) {
          const memory = keeps.every(Boolean) ? whole : kept;
          if (!memory.has(bucket)) {
            const path = new Path2D();
            for (const [stretch, part] of parts) if (stretch < 0 || keeps[stretch]) path.addPath(part.at(bucket));
            memory.set(bucket, path);
          }
          return memory.get(bucket);
        },
      };
    }
    const outlines = shapes.stretches.map(areas);
    const bands = WIDTHS.map((_, k) => some(shapes.bands.filter((band) => band[1] === k).map((band) => [band[0], areas(band[2])])));
    const edges = some(outlines.map((part, i) => [i, part]));
    function boundsOf(i) {
      let west = Infinity, north = Infinity, east = -Infinity, south = -Infinity;
      for (const xy of outlines[i].flat) {
        for (let k = 0; k < xy.length; k += 2) {
          west = Math.min(west, xy[k]); east = Math.max(east, xy[k]);
          north = Math.min(north, xy[k + 1]); south = Math.max(south, xy[k + 1]);
        }
      }
      return [latLng(west, south), latLng(east, north)];
    }

    // ---- Panes from the ground up; none takes the pointer, the map answers every click itself. ----
    const panes = {};
    [["relief", 200], ["ground", 320], ["select", 430], ["marks", 450]].forEach(function ([name, z]) {
      const pane = map.createPane("gap-" + name);
      pane.classList.add("gap");
      pane.style.zIndex = z;
      panes[name] = "gap-" + name;
    });
    const ground = new Drawing({ pane: panes.ground, padding: 0.2 }), marks = new Drawing({ pane: panes.marks, padding: 0.2 });
    const onTop = L.canvas({ pane: panes.select, padding: 0.2 });
    const scaleNow = () => 256 * 2 ** map.getZoom();
    function layerPoint(x, y) {
      const s = scaleNow(), o = map.getPixelOrigin();
      return [x * s - o.x, y * s - o.y];
    }

    // ---- Layers, from the bottom to the top of the drawing. ----
    const layers = [];
    function layer(id, group, name, look) {
      const entry = { id: id, group: group, name: name, shown: true, opacity: 1, row: null, parts: [], draw: null, marks: null, ...look };
      layers.push(entry);
      return entry;
    }
    function painted(path, style) {
      return function (ink, view) {
        const out = new Path2D();
        out.addPath(path.at(view.bucket), view.matrix);
        if (style.fill) {
          ink.globalAlpha = view.opacity * (style.fillOpacity || 1);
          ink.fillStyle = style.fill;
          ink.fill(out, "nonzero");
        }
        if (style.color) {
          ink.globalAlpha = view.opacity * (style.strokeOpacity || 1);
          ink.strokeStyle = style.color;
          ink.lineWidth = style.weight || 1;
          ink.setLineDash(style.dash || []);
          ink.stroke(out);
        }
      };
    }
    // Lines go as far as the stretches that a filter shows.
    const clipped = (path, style) => function (ink, view) {
      const out = new Path2D(), draw = painted(path, style);
      if (keeps.every(Boolean)) return draw(ink, view);
      out.addPath(edges.at(view.bucket), view.matrix);
      ink.save();
      ink.clip(out);
      draw(ink, view);
      ink.restore();
    };
    const gridClass = (from, to) => (to === null ? t("grid_class_last", { from: number(from) }) : t("grid_class", { from: number(from), to: number(to) }));
    const hatched = (colour, hatch, tint, stroke, more) => ({ fill: pattern(colour, hatch, tint, stroke), ...more });
    const quiet = shapes.ground;
    if (facts.relief.length) {
      layer("relief", "background", words.relief, { swatch: { grey: true }, parts: facts.relief.map((r) => L.imageOverlay(r.image, r.bounds, { pane: panes.relief, interactive: false, opacity: 0.85 })) });
    }
    layer("graticule", "background", words.graticule, { shown: Boolean(facts.grid), swatch: { line: { color: "#46525c", weight: 1, strokeOpacity: 0.5 } }, marks: drawGraticule });
    const flat = (id, group, name, polygons, style) => layer(id, group, name, { swatch: style, draw: painted(areas(polygons), style) });
    if (quiet.excluded.length) flat("excluded", "other", words.excluded, quiet.excluded, hatched("#7f8b95", "-", 0.35, 0.6));
    if (quiet.interior.length) flat("interior", "other", words.interior, quiet.interior, hatched("#5d5d5d", ".", 0.06, 0.75));
    facts.forces.forEach(function (force, i) {
      const look = FORCES[i % FORCES.length];
      flat("cover:" + force.key, "forces", t("cover_of", { force: force.label }), shapes.cover[i], hatched(look.colour, look.hatch, 0.2, 0.5, { color: look.colour, weight: 1.3, strokeOpacity: 0.9 }));
    });
    if (quiet.overlap.length) flat("overlap", "forces", words.overlap, quiet.overlap, hatched("#3b3b3b", ".", 0.14, 0.8, { color: "#3b3b3b", weight: 0.8, dash: [3, 3] }));
    if (quiet.beyond.length) flat("beyond", "between", t("beyond", { limit: limit }), quiet.beyond, hatched(BEYOND.colour, BEYOND.hatch, 0.1, 0.55, { color: BEYOND.colour }));
    if (facts.grid) facts.grid.classes.forEach(([from, to], k) => flat("grid:" + k, "between", gridClass(from, to), shapes.grid[k], { fill: WIDTHS[1 + 2 * k], color: "#5b3a22", weight: 0.6 }));
    if (stretches.length) {
      const drawn = bands.map((path, k) => painted(path, { fill: WIDTHS[k], fillOpacity: 0.88 })).concat(painted(edges, { color: "#5b3a22", weight: 0.8, strokeOpacity: 0.8 }));
      layer("corridors", "between", words.corridors, { swatch: { widths: true }, draw: (ink, view) => drawn.forEach((each) => each(ink, view)) });
    }
    if (shapes.changes) {
      const { before, gained, lost } = shapes.changes, was = { weight: 2, color: "#111111", strokeOpacity: 0.9, dash: [7, 4] };
      if (lost.length) flat("lost", "changes", words.changed_lost, lost, hatched(LOST.colour, LOST.hatch, 0.35, 0.95, { color: LOST.colour, weight: 1.5 }));
      if (gained.length) flat("gained", "changes", words.changed_gained, gained, hatched(GAINED.colour, GAINED.hatch, 0.35, 0.95, { color: GAINED.colour, weight: 1.5 }));
      if (before.length) layer("before", "changes", words.changed_before, { swatch: { line: was }, draw: painted(areas(before), was) });
    }
    if (shapes.boundaries.length) {
      const inner = { weight: 1.1, color: "#555555", strokeOpacity: 0.75, dash: [6, 4] }, outer = { ...inner, weight: 2, strokeOpacity: 0.6, dash: [] };
      const styles = shapes.boundaries.map((each) => (each.rows === 1 ? outer : inner)), drawn = shapes.boundaries.map((each, k) => painted(shape(each.lines, false), styles[k]));
      layer("boundaries", "background", words.boundaries, { swatch: { line: [outer, inner].filter((each) => styles.includes(each)) }, draw: (ink, view) => drawn.forEach((each) => each(ink, view)) });
    }
    const across = shapes.transects;
    if (across.width_m.length) {
      const style = { weight: 1, color: "#2b2b2b", strokeOpacity: 0.55 };
      layer("transects", "between", words.transects, { shown: false, swatch: { line: style }, draw: clipped(shape(across.lines.flat(), false), style) });
    }
    if (shapes.centrelines.length) {
      const style = { weight: 2, color: "#111111", strokeOpacity: 0.85 };
      layer("centrelines", "between", words.centrelines, { swatch: { line: style }, draw: clipped(shape(shapes.centrelines, false), style) });
    }
    if (meta && meta.count) layer("incidents", "marks", words.incidents, { swatch: { mark: (ink, x, y) => glyph(ink, 0, x, y, 5) }, marks: drawIncidents });
    if (facts.places.length) layer("places", "marks", words.places, { swatch: { mark: (ink, x, y) => drawPlace(ink, x, y, false, 1e4) }, marks: drawPlaces });
    added.forEach(function (extra) {
      const own = window[extra.variable];
      if (own) layer("added:" + extra.variable, "added", extra.title, { shown: extra.shown, swatch: {}, parts: [own], fixed: true });
    });
    const shownLayer = (id) => layers.some((each) => each.id === id && each.shown);

    ground.draw = function (ink) {
      const zoom = map.getZoom(), s = scaleNow(), o = map.getPixelOrigin(), k = 2 ** (zoom - 10);
      const view = { bucket: Math.ceil(zoom), matrix: new DOMMatrix([k, 0, 0, k, centre[0] * s - o.x, centre[1] * s - o.y]), opacity: 1 };
      layers.forEach(function (entry) { if (entry.shown && entry.draw) entry.draw(ink, { ...view, opacity: entry.opacity }); });
    };
    const figuresAt = [], gridBoxes = [];  // the figures along the lines and their boxes: no name may cover one
    marks.draw = function (ink, bounds) {
      figuresAt.length = gridBoxes.length = 0;
      layers.forEach(function (entry) {
        if (!entry.shown || !entry.marks) return;
        ink.globalAlpha = entry.opacity;
        entry.marks(ink, bounds);
      });
      writeFigures(ink);
    };
    function redraw() { ground._updatePaths(); marks._updatePaths(); }
    function dress(entry) {
      entry.parts.forEach(function (part) {
        if (entry.shown) part.addTo(map); else part.remove();
        if (entry.shown && !entry.fixed && part.setOpacity) part.setOpacity(0.85 * entry.opacity);
      });
      if (entry.row) {
        entry.row.classList.toggle("off", !entry.shown);
        entry.row.querySelector("input[type=checkbox]").checked = entry.shown;
        const slide = entry.row.querySelector("input[type=range]");
        if (slide) slide.value = String(entry.opacity);
        document.querySelectorAll("[data-below]").forEach(function (each) { if (each.dataset.below === entry.id) each.classList.toggle("off", !entry.shown); });
      }
    }
    function show(entry, on) { entry.shown = on; dress(entry); redraw(); }

    // ---- Marks. ----
    L.control.scale({ imperial: false, maxWidth: 140, position: "bottomright" }).addTo(map);
    function outline(ink, form, x, y, r) {
      ink.beginPath();
      if (form === "triangle") { ink.moveTo(x, y - r); ink.lineTo(x + r, y + r * 0.8); ink.lineTo(x - r, y + r * 0.8); ink.closePath(); }
      else if (form === "square") ink.rect(x - r * 0.8, y - r * 0.8, r * 1.6, r * 1.6);
      else if (form === "diamond") { ink.moveTo(x, y - r * 1.15); ink.lineTo(x + r, y); ink.lineTo(x, y + r * 1.15); ink.lineTo(x - r, y); ink.closePath(); }
      else if (form === "cross") { ink.moveTo(x - r * 0.8, y - r * 0.8); ink.lineTo(x + r * 0.8, y + r * 0.8); ink.moveTo(x + r * 0.8, y - r * 0.8); ink.lineTo(x - r * 0.8, y + r * 0.8); }
      else if (form === "bar") ink.rect(x - r, y - r * 0.4, 2 * r, r * 0.8);  // no ring: that is a place
      else ink.arc(x, y, r * 0.85, 0, 7);
    }
    function glyph(ink, kind, x, y, r) {
      const [form, colour] = KINDS[Math.min(kind, KINDS.length - 1)], open = form === "cross";
      outline(ink, form, x, y, r);
      ink.lineJoin = "round";
      ink.lineWidth = open ? r * 0.9 : r / 2.2;
      ink.strokeStyle = "#fff";
      ink.stroke();
      if (open) { ink.lineWidth = r * 0.45; ink.strokeStyle = colour; ink.stroke(); } else { ink.fillStyle = colour; ink.fill(); }
    }
    const MANY = 10000;  // as many marks cover half of a screen, and an image of their density says more
    let dense = false;
    function drawIncidents(ink, bounds) {
      const s = scaleNow(), o = map.getPixelOrigin(), size = bounds.getSize(), pad = 8;
      const left = bounds.min.x + o.x, top = bounds.min.y + o.y;
      const view = [(left - pad) / s, (top - pad) / s, (left + size.x + pad) / s, (top + size.y + pad) / s];
      dense = points.countIn(...view, MANY) > MANY;
      if (dense) {
        ink.save();
        ink.translate(bounds.min.x, bounds.min.y);
        points.density(ink, { scale: s, left: left, top: top }, size.x, size.y);
        ink.restore();
      } else {
        // From afar small and seen through, so that the corridors under them show.
        const zoom = map.getZoom(), r = Math.max(1.6, Math.min(5.5, 1.2 * (zoom - 5.7))), opacity = ink.globalAlpha;
        ink.globalAlpha *= Math.max(0.6, Math.min(1, 0.2 * (zoom - 3.75)));
        // As many pixels as the screen has, at whole pixels: so a mark is copied and not scaled each time.
        const fine = L.Browser.retina ? 2 : 1, whole = (v) => Math.round(v * fine) / fine;
        const R = Math.ceil(r * 1.15 + r / 2 + 1), sprites = KINDS.map(function (_, i) {
          const tile = make("canvas", { width: 2 * R * fine, height: 2 * R * fine }), pen = tile.getContext("2d");
          pen.scale(fine, fine);
          glyph(pen, i, R, R, r);
          return tile;
        });
        points.eachIn(...view, function (i) {
          ink.drawImage(sprites[forms[points.column.kind[i]]], whole(points.x[i] * s - o.x) - R, whole(points.y[i] * s - o.y) - R, 2 * R, 2 * R);
        });
        ink.globalAlpha = opacity;
      }
      if (selected && selected.startsWith("incident:")) {
        const i = Number(selected.slice(9));
        glyph(ink, forms[points.column.kind[i]], points.x[i] * s - o.x, points.y[i] * s - o.y, 8);
      }
      box("crowded").hidden = !dense;
    }
    function drawPlace(ink, x, y, big, population) {
      ink.beginPath();
      ink.arc(x, y, (population > 100000 ? 4.5 : population > 10000 ? 3.5 : 2.8) + (big ? 2 : 0), 0, 7);
      ink.fillStyle = "#fff"; ink.fill();
      ink.lineWidth = 1.5; ink.strokeStyle = "#222"; ink.stroke();
    }
    const spots = facts.places.map((row) => mercator(row.lat, row.lon)), widths = new Map();
    const places = facts.places.map((_, i) => i).sort((a, b) => (facts.places[b].population || 0) - (facts.places[a].population || 0) || a - b);
    const labelled = (row, zoom) => row.population > 400000 || zoom >= 7 && row.population > 80000 || zoom >= 8 && row.population > 20000 || zoom >= 9;
    function placesIn(bounds) {
      const zoom = map.getZoom(), seen = [];
      for (const i of places) {
        const row = facts.places[i];
        if (!labelled(row, zoom) && selected !== "place:" + i) continue;
        const [x, y] = layerPoint(spots[i][0], spots[i][1]);
        if (x > bounds.min.x && x < bounds.max.x && y > bounds.min.y && y < bounds.max.y) seen.push([i, row, x, y]);
      }
      return seen;
    }
    function drawPlaces(ink, bounds) {
      const seen = placesIn(bounds);
      // Discs first: no label may cover one. Boxes stand in a grid of cells, so that each label looks at few of them.
      const cells = new Map(), keysOf = (b) => { const out = []; for (let u = Math.floor(b[0] / 100); u <= Math.floor(b[2] / 100); u++) for (let v = Math.floor(b[1] / 40); v <= Math.floor(b[3] / 40); v++) out.push(u + ":" + v); return out; };
      const take = (b) => keysOf(b).forEach((key) => (cells.has(key) ? cells.get(key).push(b) : cells.set(key, [b])));
      const free = (b) => keysOf(b).every((key) => (cells.get(key) || []).every((o) => b[0] > o[2] || b[2] < o[0] || b[1] > o[3] || b[3] < o[1]));
      // What the edge of the screen would cut, or part from its disc, is not written; what lies outside is, for dragging brings it in.
      const low = map.containerPointToLayerPoint([0, 0]), high = low.add(map.getSize());
      const whole = (b) => b[0] >= low.x && b[2] <= high.x && b[1] >= low.y && b[3] <= high.y || b[2] < low.x || b[0] > high.x || b[3] < low.y || b[1] > high.y;
      gridBoxes.forEach(take);
      // Nor may a label lie under a button, the arrow or the scale bar.
      const frame = box("stage").getBoundingClientRect();
      controls.forEach(function (each) {
        const r = each.getBoundingClientRect(), x = low.x + r.left - frame.left, y = low.y + r.top - frame.top;
        take([x, y, x + r.width, y + r.height]);
      });
      seen.forEach(function ([i, row, x, y]) {
        drawPlace(ink, x, y, selected === "place:" + i, row.population);
        take([x - 5, y - 5, x + 5, y + 5]);
      });
      ink.textBaseline = "middle";
      ink.textAlign = "left";
      ink.lineJoin = "round";
      ink.lineWidth = 3.5;
      labelBoxes.length = 0;
      seen.forEach(function ([, row, x, y]) {
        const font = (row.population > 100000 ? "600 13px " : "12px ") + FONT, full = row.label || row.name, key = font + full;
        ink.font = font;
        if (!widths.has(key)) { const short = fit(ink, full, 240); widths.set(key, [short, ink.measureText(short).width + 4]); }
        const [name, wide] = widths.get(key);
        const at = [[7, -8], [-7 - wide, -8], [-wide / 2, -22], [-wide / 2, 7]].map(([dx, dy]) => [x + dx, y + dy, x + dx + wide, y + dy + 16]).find((b) => whole([Math.min(b[0], x), Math.min(b[1], y), Math.max(b[2], x), Math.max(b[3], y)]) && free(b));
        if (!at) return;
        take(at);
        labelBoxes.push(at);
        ink.strokeStyle = "rgba(255,255,255,.92)";
        ink.strokeText(name, at[0] + 2, at[1] + 8);
        ink.fillStyle = "#1a1a1a";
        ink.fillText(name, at[0] + 2, at[1] + 8);
      });
    }
    const labelBoxes = [], controls = document.querySelectorAll(".leaflet-control-zoom, .leaflet-control-scale, #north");
    function fit(ink, text, most) {
      let n = text.length;
      while (n && ink.measureText(n < text.length ? text.slice(0, n) + "…" : text).width > most) n--;
      return n < text.length ? text.slice(0, n) + "…" : text;
    }
    function drawGraticule(ink, bounds) {
      const o = map.getPixelOrigin(), s = scaleNow(), step = [5, 2, 1, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01].find((d) => d / 360 * s < 260) || 0.01;
      const corner = (x, y) => degreesAt((x + o.x) / s, (y + o.y) / s), size = map.getSize(), seen = map.containerPointToLayerPoint([0, 0]);
      const [north, west] = corner(bounds.min.x, bounds.min.y), [south, east] = corner(bounds.max.x, bounds.max.y);
      const digits = step < 0.1 ? 2 : step < 1 ? (step === 0.25 ? 2 : 1) : 0;
      // A figure moves along its line until it covers no place.
      const discs = shownLayer("places") ? placesIn(bounds) : [];
      const put = function (text, x, y, dx, dy) {
        for (let k = 0; k < 4 && discs.some(([, , u, v]) => Math.abs(u - x) < 28 && Math.abs(v - y) < 13); k++) { x += dx; y += dy; }
        figuresAt.push([text, x, y]);
        gridBoxes.push([x - 22, y - 7, x + 22, y + 7]);
      };
      for (let k = Math.ceil(west / step); k * step <= east; k++) {
        const x = mercator(0, k * step)[0] * s - o.x;
        ink.strokeStyle = "rgba(70,82,92,.5)"; ink.lineWidth = 0.8;
        ink.beginPath(); ink.moveTo(x, bounds.min.y); ink.lineTo(x, bounds.max.y); ink.stroke();
        put(Math.abs(k * step).toFixed(digits) + "° " + (k < 0 ? "W" : "E"), x, seen.y + size.y - 40, 0, -16);
      }
      for (let k = Math.ceil(south / step); k * step <= north; k++) {
        const y = mercator(k * step, 0)[1] * s - o.y;
        ink.strokeStyle = "rgba(70,82,92,.5)"; ink.lineWidth = 0.8;
        ink.beginPath(); ink.moveTo(bounds.min.x, y); ink.lineTo(bounds.max.x, y); ink.stroke();
        put(Math.abs(k * step).toFixed(digits) + "° " + (k < 0 ? "S" : "N"), seen.x + 78, y, 50, 0);
      }
    }
    // Above all marks, which would cover them.
    function writeFigures(ink) {
      ink.globalAlpha = layers.find((entry) => entry.id === "graticule").opacity;
      ink.font = "11px " + FONT;
      ink.fillStyle = "#2f3a43";
      ink.strokeStyle = "rgba(255,255,255,.9)";
      ink.lineWidth = 3;
      ink.lineJoin = "round";
      ink.textBaseline = "middle";
      ink.textAlign = "center";
      figuresAt.forEach(([text, x, y]) => { ink.strokeText(text, x, y); ink.fillText(text, x, y); });
    }

    // ---- Filters. ----
    const dayMs = 86400000, firstDay = meta && meta.first_day ? Date.parse(meta.first_day) : NaN;
    const iso = (d) => new Date(firstDay + d * dayMs).toISOString().slice(0, 10);
    const dayOf = (text) => Math.round((Date.parse(text) - firstDay) / dayMs);
    let lastDay = -1, undated = 0;
    if (points && !Number.isNaN(firstDay)) {
      const { day: first, days } = points.column;
      for (let i = 0; i < points.count; i++) { if (first[i]) lastDay = Math.max(lastDay, first[i] - 1 + days[i]); else undated++; }
    }
    const visibleCount = () => (points ? points.shown() : 0);
    const BINS = 160, binDays = Math.max(1, Math.ceil((lastDay + 1) / BINS)), bins = Math.ceil((lastDay + 1) / binDays);
    const tally = () => points.tally(kinds.length, stretches.length, bins, binDays);
    const forms = kinds.map(() => KINDS.length - 1);  // of each kind; the most frequent ones have one of their own
    if (points) {
      const counts = tally().byKind;
      kinds.map((_, i) => i).sort((a, b) => counts[b] - counts[a] || a - b).forEach(function (kind, rank) { forms[kind] = Math.min(rank, KINDS.length - 1); });
    }
    let shownRows = stretches.map((_, i) => i), counted = null;
    // Whether anything changed, here and below: with a million points, work not done is what keeps a filter quick.
    function filterStretches() {
      const before = keeps.join();
      stretches.forEach(function (row, i) {
        keeps[i] = (filters.pair === "" || filters.pair === row.force_a + "|" + row.force_b) && !((row.width_max_m || 0) < filters.width_km * 1000);
      });
      if (keeps.join() === before) return false;
      bands.forEach((band) => band.forget());
      edges.forget();
      return true;
    }
    let asked = "";
    function filterPoints() {
      const now = JSON.stringify([filters.kinds, filters.deaths, filters.civilians, filters.listed && keeps.join()]);
      if (!points || now === asked) return false;
      asked = now;
      const listed = filters.listed ? Uint8Array.from(keeps, Number) : null;
      points.filter(Uint8Array.from(kinds, (kind) => Number(!filters.kinds || filters.kinds.includes(kind))), filters.deaths, filters.civilians, listed);
      return true;
    }
    // What follows from the filters: numbers, list, histogram, drawing.
    function settle(ofPoints, ofGround) {
      if (points && ofPoints) {
        counted = tally();
        drawHistogram();
      }
      listRows();
      if (!facts.grid) box("count").replaceChildren(...rich(points ? "count" : "count_stretches", { shown: number(shownRows.length), all: number(stretches.length), incidents: number(visibleCount()), of: number(points ? points.count : 0) }));
      box("tab-filter")?.classList.toggle("active", filtering());
      classCounts(ofPoints);
      if (keeps[byStretch.get(selected)] === false) clear(false);
      if (area && (ofGround || ofPoints)) {
        found = query(area, ofGround ? undefined : found.gap_km2);
        showFound();
      }
      if (ofGround) ground._updatePaths();
      if (ofPoints) marks._updatePaths();
    }
    const filtering = () => JSON.stringify(filters) !== JSON.stringify(all()) || span !== null;
    function apply(ofDates = false) {
      const ofGround = filterStretches(), ofPoints = filterPoints();
      settle(ofPoints || ofDates, ofGround);
      fillFilter();
      placeHandles();
    }
    function takeSpan(next) {
      span = next && (next[0] > 0 || next[1] < lastDay) ? next : null;
      points.dates(span);
    }
    function setSpan(next) {
      takeSpan(next);
      settle(true, false);
      placeHandles();
    }
    function clearFilters() {
      filters = all();
      stopPlaying();
      if (points) takeSpan(null);
      apply(Boolean(points));
    }

    // ---- Details. ----
    const details = box("details"), highlight = L.layerGroup().addTo(map), drawnArea = L.layerGroup().addTo(map), hover = L.layerGroup().addTo(map);
    function figures(rows) {
      const list = make("dl");
      rows.forEach(function ([key, name, text, value]) {
        if (blank(text)) return;
        list.append(make("dt", { text: name }), make("dd", { "data-key": key, "data-value": blank(value) ? text : value }, ...(Array.isArray(text) ? text : apart([text]))));
      });
      return list;
    }
    const people = (among, value) => ["population", words.population, among ? (value ? number(value) : words.not_known) : null, value];
    function measures(row) {
      const known = (key, value, text) => [key, words[key], blank(value) ? null : text(value), value], count = (value) => number(value);
      const names = places.map((i) => facts.places[i]).filter((each) => each.stretch_id === row.id).map((each) => each.label || each.name);
      return [
        known("width_min_m", row.width_min_m, length), known("width_mean_m", row.width_mean_m, length), known("width_max_m", row.width_max_m, length),
        known("length_km", row.length_km, (value) => km(value, 1)), known("area_km2", row.area_km2, km2),
        known("places", row.places, (value) => apart([number(value), ...names.slice(0, 8), ...(names.length > 8 ? ["…"] : [])], " · ")), people(row.places, row.population),
        ["incidents_count", words.incidents_count + (points ? words.unfiltered : ""), blank(row.incidents_count) ? null : count(row.incidents_count), row.incidents_count],
        known("incidents_certain", row.incidents_count ? row.incidents_certain : null, count),
        known("location_radius_median_m", row.location_radius_median_m, (value) => t("median", { n: length(value) })),
        known("deaths_best", row.deaths_best || null, count), known("last_incident", row.last_incident, day),
      ];
    }
    const zones = (text) => text && apart(text.split("; "), SEMICOLON);
    const facing = (row) => figures([
      ["facing_a", t("zones_of", { force: label(row.force_a) }), zones(row.facing_a), row.facing_a],
      ["facing_b", t("zones_of", { force: label(row.force_b) }), zones(row.facing_b), row.facing_b],
    ]);
    function open(title, nodes) {
      const close = make("button", { type: "button", class: "close", "aria-label": words.close, text: "✕", on: { click: () => clear(true) } });
      details.replaceChildren(close, make("h2", {}, make("bdi", { text: title })), ...nodes);
      details.hidden = false;
      details.scrollTop = 0;
      if (!tool && matchMedia("(max-width: 800px)").matches) box("stage").scrollIntoView();  // above the sheet
      redraw();
    }
    function clear(giveBack) {
      if (giveBack && opener && opener.isConnected) opener.focus();
      else if (giveBack && selected && byStretch.has(selected)) focusRow(shownRows.indexOf(byStretch.get(selected)));
      if (tool) stopTool();
      selected = null;
      opener = null;
      details.hidden = true;
      details.replaceChildren();
      highlight.clearLayers();
      drawnArea.clearLayers();
      area = null;
      clicked = [];
      markRows();
      redraw();
    }
    const method = () => make("p", { class: "small" }, ...rich(facts.run.date ? "method_dated" : "method", { limit: limit, date: facts.run.date ? day(facts.run.date) : "" }));
    function hereText(here, at) {
      const grid = GapGeodesy.mgrs(at.lat, at.lng);
      const copy = make("button", { type: "button", class: "plain", on: { click: () => copyText(position(at) + " " + grid) } }, words.copy);
      return [
        make("p", { class: "here", "data-key": "width_here_m", "data-value": here ? here.width_m : "" }, ...(here ? rich("width_here", { width: length(here.width_m) }) : [words.width_outside])),
        make("p", { class: "small" }, make("bdi", { text: position(at) }), " ", make("bdi", { text: grid, "data-key": "mgrs" }), " ", copy),
      ];
    }
    // Width along the middle line: the ends and measuring lines of stretches, as a small chart.
    const SVG = (tag, props, ...children) => { const node = document.createElementNS("http://www.w3.org/2000/svg", tag); for (const [k, v] of Object.entries(props)) { if (k === "text") node.textContent = v; else node.setAttribute(k, v); } node.append(...children); return node; };
    const corridorIds = facts.corridors.map((row) => row.id);
    function chart(those) {
      const seen = those.flatMap(function (i) { const [along, wide] = shapes.widths[i]; return along.map((m, k) => [m, wide[k]]); });
      if (seen.length < 2) return [];
      const from = seen[0][0], to = seen[seen.length - 1][0], long = km((to - from) / 1000, 1), most = Math.max(...seen.map((each) => each[1]), 1), W = 320, H = 90, base = H - 16, left = 50;
      const x = (m) => left + (m - from) / (to - from) * (W - left - 8), y = (w) => base - w / most * (base - 12);
      const line = seen.map((each) => x(each[0]).toFixed(1) + " " + y(each[1]).toFixed(1)).join("L");
      const write = (px, py, anchor, text) => SVG("text", { x: px, y: py, "text-anchor": anchor, text: text });
      const name = t("chart_label", { min: length(Math.min(...seen.map((each) => each[1]))), max: length(most), length: long });
      return [make("h3", { text: words.chart_title }), make("div", { class: "chart", dir: "ltr" }, SVG("svg", { viewBox: "0 0 " + W + " " + H, role: "img", "aria-label": name },
        SVG("path", { class: "area", d: "M" + x(from) + " " + base + "L" + line + "L" + x(to) + " " + base + "Z" }), SVG("path", { class: "line", d: "M" + line }),
        SVG("path", { class: "axis", d: "M" + left + " 6V" + base + "H" + (W - 8) }),
        write(left - 3, 14, "end", km(most / 1000, 1)), write(left - 3, base, "end", "0"), write(left, H - 3, "start", "0"), write(W - 8, H - 3, "end", long)))];
    }
    function openStretch(i, at, here) {
      const row = stretches[i], corridor = corridors.get(row.corridor_id);
      clear(false);
      selected = row.id;
      highlight.addLayer(L.polygon(outlines[i].flat.map(function (xy) { const out = []; for (let k = 0; k < xy.length; k += 2) out.push(latLng(xy[k], xy[k + 1])); return out; }), { renderer: onTop, interactive: false, fill: false, color: "#000", weight: 3, fillRule: "nonzero" }));
      if (at) spot(at);
      const nodes = at ? hereText(here, at) : [];
      nodes.push(make("p", { class: "small" }, ...rich("between_forces", { a: label(row.force_a), b: label(row.force_b) })), figures(measures(row)), ...chart([i]), make("h3", { text: words.facing }), facing(row));
      if (row.near_limit) nodes.push(small("near_limit"));
      if (corridor) {
        nodes.push(make("div", { "data-corridor": corridor.id }, make("h3", {}, ...rich("whole_corridor", { name: nameOf(corridor) })), figures(measures(corridor)), ...chart(stretches.map((_, k) => k).filter((k) => stretches[k].corridor_id === corridor.id)),
          make("details", {}, make("summary", { text: words.all_zones }), facing(corridor))));
      }
      nodes.push(method());
      open(nameOf(row), nodes);
      revealRow(i);
      markRows();
    }
    function spot(at) {
      clicked = [[at.lat, at.lng]];
      highlight.addLayer(L.circleMarker(at, { renderer: onTop, interactive: false, radius: 6, color: "#fff", weight: 4, fill: false }));
      highlight.addLayer(L.circleMarker(at, { renderer: onTop, interactive: false, radius: 6, color: "#000", weight: 2, fill: false }));
    }
    const place = (id) => (byStretch.has(id) ? nameOf(stretches[byStretch.get(id)]) : id);
    const groundName = (kind) => words["ground_" + kind] || kind;
    const incidentAt = (i) => { const [lat, lon] = degreesAt(points.x[i], points.y[i]); return L.latLng(lat, lon); };
    // A packed incident as a row again.
    function incident(i) {
      const c = points.column, best = c.best[i] - 1, known = Math.max(best, 0), at = incidentAt(i);
      const from = c.day[i] ? iso(c.day[i] - 1) : null;
      return {
        ...(ids && { incident_id: ids[i] }), date_from: from, date_to: from && iso(c.day[i] - 1 + c.days[i]), kind: kinds[c.kind[i]],
        deaths_best: best < 0 ? null : best, deaths_low: c.low[i] ? known - c.low[i] + 1 : null, deaths_high: c.high[i] ? known + c.high[i] - 1 : null,
        civilians: c.civilian[i] ? c.civilian[i] - 1 : null, location_precision: meta.precisions[c.precision[i]], location_radius_m: c.radius[i] ? c.radius[i] - 1 : null,
        ground: meta.grounds[c.ground[i]], stretch_id: c.stretch[i] ? stretches[c.stretch[i] - 1].id : "", lat: Math.round(at.lat * 1e5) / 1e5, lon: Math.round(at.lng * 1e5) / 1e5,
      };
    }
    function openIncident(i) {
      const row = incident(i), at = incidentAt(i);
      clear(false);
      selected = "incident:" + i;
      if (row.location_radius_m > 0) highlight.addLayer(L.circle(at, { renderer: onTop, interactive: false, radius: row.location_radius_m, color: "#111", weight: 1.5, dashArray: "4 4", fillOpacity: 0.06 }));
      const range = row.deaths_low !== row.deaths_high && row.deaths_low !== null && row.deaths_high !== null;
      const dates = row.date_from && (row.date_to === row.date_from ? day(row.date_from) : t("from_to", { from: day(row.date_from), to: day(row.date_to) }));
      const nodes = [figures([
        ["date", words.date, dates || words.not_known, row.date_from],
        ["kind", words.kind, row.kind],
        ["deaths_best", words.deaths, row.deaths_best === null ? null : range ? t("deaths_range", { n: number(row.deaths_best), low: number(row.deaths_low), high: number(row.deaths_high) }) : number(row.deaths_best), row.deaths_best],
        ["civilians", words.civilians, row.civilians === null ? null : row.civilians ? words.yes : words.no],
        ["location_precision", words.position, row.location_precision ? (words["precision_" + row.location_precision] || row.location_precision) + (row.location_radius_m ? t("within", { n: length(row.location_radius_m) }) : "") : null],
        ["ground", words.lies_on, groundName(row.ground)],
        ["stretch_id", words.stretch, row.stretch_id ? place(row.stretch_id) : null],
      ])];
      if (notes) {
        const line = make("p", { dir: "auto", class: "note", "data-key": "note" });
        nodes.push(line);
        unpack(notes[Math.floor(i / 1000)]).then(function (chunk) {
          line.textContent = chunk[i % 1000];
          if (chunk[i % 1000]) line.before(make("h3", { text: words.note }));
        });
      }
      nodes.push(...hereText(widthHere(at.lat, at.lng), at));
      open(words.incident, nodes);
    }
    function openPlace(i) {
      const row = facts.places[i], at = L.latLng(row.lat, row.lon);
      clear(false);
      selected = "place:" + i;
      const list = [
        ["population", words.people, blank(row.population) ? words.not_known : number(row.population), row.population],
        ["ground", words.lies_on, groundName(row.ground)],
        ["stretch_id", words.stretch, row.stretch_id ? place(row.stretch_id) : null],
        ["width_here_m", words.width, blank(row.width_here_m) ? null : length(row.width_here_m), row.width_here_m],
      ];
      facts.forces.forEach(function (force) {
        const far = row["distance_" + force.key + "_m"], zone = row["nearest_zone_" + force.key];
        if (!blank(far)) list.push(["distance_" + force.key + "_m", t("to_force", { force: force.label }), apart([far > 0 ? length(far) : words.inside_cover, ...(zone ? [zone] : [])], " · "), far]);
      });
      list.push(["names", words.also_written, row.names.length ? apart(row.names, COMMA) : null, row.names.join(", ")]);  // last: there may be fifty
      open(row.label || row.name || row.id, [figures(list), make("p", { class: "small" }, make("bdi", { text: position(at) }), " ", make("bdi", { text: GapGeodesy.mgrs(at.lat, at.lng) }))]);
    }

    // ---- Width here and position. ----
    function widthHere(lat, lon) {
      facetAt = facetAt || facetIndex(shapes.facets);
      const at = project(lat, lon);
      return facetAt(at[0], at[1]);
    }
    const position = (at) => Math.abs(at.lat).toFixed(4) + "° " + (at.lat < 0 ? "S" : "N") + ", " + Math.abs(at.lng).toFixed(4) + "° " + (at.lng < 0 ? "W" : "E");
    const cursor = box("cursor");
    // The middles of the measuring lines, for the one nearest to the pointer.
    let middles = null;
    function nearestLine(lat, lon, stretch) {
      middles = middles || across.lines.map(function (parts) { const xy = local(parts[0]); return [(xy[0] + xy[xy.length - 2]) / 2, (xy[1] + xy[xy.length - 1]) / 2, xy]; });
      const at = mercator(lat, lon), px = (at[0] - centre[0]) * UNIT, py = (at[1] - centre[1]) * UNIT, row = stretches[stretch];
      let best = null, least = Infinity;
      middles.forEach(function (each, k) {
        if (row && corridorIds[across.corridor[k]] !== row.corridor_id) return;
        const xy = each[2], d = distance(px, py, xy[0], xy[1], xy[xy.length - 2], xy[xy.length - 1]);
        if (d < least) { least = d; best = k; }
      });
      return best;
    }
    let aim = null;  // the last position of the pointer that is not yet shown
    map.on("mousemove", function (event) {
      const waiting = aim !== null;
      aim = event.latlng;
      if (!waiting) requestAnimationFrame(function () {
        const { lat, lng } = aim, under = widthHere(lat, lng), here = under && keeps[under.stretch] !== false ? under : null;
        cursor.replaceChildren(make("bdi", { text: position(aim) }), " · ", make("bdi", { text: GapGeodesy.mgrs(lat, lng), "data-key": "mgrs" }), ...(here ? [" · ", ...rich("width_here", { width: length(here.width_m) })] : []));
        aim = null;
        hover.clearLayers();
        if (!here || !shownLayer("corridors") || !across.width_m.length) return;
        const k = nearestLine(lat, lng, here.stretch), xy = k === null ? null : middles[k][2];
        if (xy) hover.addLayer(L.polyline([latLng(xy[0], xy[1]), latLng(xy[xy.length - 2], xy[xy.length - 1])], { renderer: onTop, interactive: false, color: "#000", weight: 2, dashArray: "5 3" }));
      });
    });
    map.on("mouseout", function () { cursor.replaceChildren(); hover.clearLayers(); });

    // ---- Tools on the map: an area and what lies in it; a line and how long it is. ----
    let tool = null, byKeys = false;  // byKeys: points are set at the cross in the middle of the map
    const corners = [], frame = box("map_gapmap");
    function useKeys(on) {
      if (on && !byKeys) say(words.hint_keys);
      byKeys = on;
      box("cross").hidden = !on;
    }
    function startTool(name, keys) {
      const same = tool === name;
      if (same) finish();  // for fingers, which have no Enter
      if (tool) stopTool();
      if (same) return;
      clear(false);
      tool = name;
      box("tool-" + name).setAttribute("aria-pressed", "true");
      map.doubleClickZoom.disable();
      say(words["hint_" + name]);
      useKeys(keys);
      if (keys) frame.focus({ preventScroll: true });
    }
    function stopTool() {
      tool = null;
      useKeys(false);
      corners.length = 0;
      ["area", "measure"].forEach((each) => box("tool-" + each).setAttribute("aria-pressed", "false"));
      map.doubleClickZoom.enable();
      say("");
    }
    function drawCorners(closed) {
      drawnArea.clearLayers();
      const style = { renderer: onTop, interactive: false, color: "#000", weight: 2.5, dashArray: "7 4", fillOpacity: 0.05 };
      drawnArea.addLayer(closed ? L.polygon(corners, style) : L.polyline(corners, style));
      corners.forEach((at) => drawnArea.addLayer(L.circleMarker(at, { renderer: onTop, interactive: false, radius: 4, color: "#000", weight: 2, fillColor: "#fff", fillOpacity: 1 })));
    }
    function addCorner(at) {
      const last = corners[corners.length - 1];
      if (last && map.latLngToLayerPoint(last).distanceTo(map.latLngToLayerPoint(at)) < 6) return void finish();  // the second half of a double click
      if (tool === "area" && corners.length > 2 && map.latLngToLayerPoint(corners[0]).distanceTo(map.latLngToLayerPoint(at)) < 12) return void finish();
      corners.push([at.lat, at.lng]);
      drawCorners(false);
      if (tool === "measure") showMeasure();
    }
    function finish() {
      if (tool === "area" && corners.length > 2) {
        const ring = corners.map((at) => at.map((v) => Math.round(v * 1e5) / 1e5));
        stopTool();
        if (!crosses(ring)) return openArea(ring);
        drawnArea.clearLayers();
        say(words.area_crosses);
      } else if (tool === "measure" && corners.length > 1) {
        stopTool();
      }
    }
    // Whether two edges of a ring cross: of such a figure nobody could say what lies in it.
    function crosses(ring) {
      const side = (a, b, p) => Math.sign((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])), n = ring.length;
      return ring.some((a, i) => ring.some(function (c, k) {
        const b = ring[(i + 1) % n], d = ring[(k + 1) % n];
        return k > i + 1 && (k + 1) % n !== i && side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
      }));
    }
    function measure(line) {
      return { length_m: GapGeodesy.lengthOf(line), around_m: line.length > 2 ? GapGeodesy.lengthOf(line.concat([line[0]])) : null, area_m2: line.length > 2 ? GapGeodesy.areaOf(line) : null };
    }
    function showMeasure() {
      const found = measure(corners), shown = corners.slice();
      selected = "measure";
      clicked = shown;
      open(words.measured, [figures([
        ["length_m", words.measure_length, length(found.length_m), found.length_m],
        ["area_m2", words.measure_area, found.area_m2 === null ? null : plain("km2", number(found.area_m2 / 1e6, 2)), found.area_m2],
      ]), small("measure_note")]);
      corners.splice(0, corners.length, ...shown);
    }
    // Ground of corridors inside a ring: along 2 000 lines the lengths are exact, the sum over lines is within 0.1 percent or so.
    function gapInside(ring) {
      const plane = (xy) => { const out = []; for (let k = 0; k < xy.length; k += 2) { const [lat, lon] = latLng(xy[k], xy[k + 1]); out.push(project(lat, lon)); } return out; };
      const dense = [];
      ring.forEach(function (at, i) {  // straight on the map, hence bent in the working CRS
        const a = mercator(...at), b = mercator(...ring[(i + 1) % ring.length]);
        for (let k = 0; k < 50; k++) dense.push(project(...degreesAt(a[0] + (b[0] - a[0]) * k / 50, a[1] + (b[1] - a[1]) * k / 50)));
      });
      const ys = dense.map((p) => p[1]), south = Math.min(...ys), LINES = 2000, step = (Math.max(...ys) - south) / LINES;
      const crossings = (rings) => {
        const lines = Array.from({ length: LINES }, () => []);
        rings.forEach((points) => points.forEach(function (a, i) {
          const b = points[(i + 1) % points.length], low = Math.min(a[1], b[1]), high = Math.max(a[1], b[1]);
          for (let k = Math.max(0, Math.ceil((low - south) / step - 0.5)); k < LINES; k++) {
            const y = south + (k + 0.5) * step;
            if (y >= high) break;
            if (y >= low) lines[k].push(a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]));
          }
        }));
        return lines.map((xs) => xs.sort((a, b) => a - b));
      };
      const mine = crossings([dense]), theirs = mine.map(() => []);
      outlines.forEach(function (part, i) {
        if (keeps[i]) crossings(part.flat.map(plane)).forEach((xs, k) => { for (let b = 0; b + 1 < xs.length; b += 2) theirs[k].push([xs[b], xs[b + 1]]); });
      });
      let sum = 0;
      theirs.forEach(function (spans, k) {
        let done = -Infinity;  // ground where corridors of several pairs lie on one another counts once
        spans.sort((a, b) => a[0] - b[0]).forEach(function ([from, to]) {
          for (let a = 0; a + 1 < mine[k].length; a += 2) sum += Math.max(0, Math.min(mine[k][a + 1], to) - Math.max(mine[k][a], from, done)) * step;
          done = Math.max(done, to);
        });
      });
      return sum / 1e6;
    }
    function query(ring, gap_km2 = gapInside(ring)) {
      const flatRing = ring.map((at) => mercator(at[0], at[1])), found = points ? points.query(flatRing) : [], byKind = {};
      found.forEach(function (i) { const kind = kinds[points.column.kind[i]]; byKind[kind] = (byKind[kind] || 0) + 1; });
      const inRing = (at) => { let odd = false; for (let a = 0, b = flatRing.length - 1; a < flatRing.length; b = a++) { const [xa, ya] = flatRing[a], [xb, yb] = flatRing[b]; if ((ya > at[1]) !== (yb > at[1]) && at[0] < (xb - xa) * (at[1] - ya) / (yb - ya) + xa) odd = !odd; } return odd; };
      return { incidents: found, by_kind: byKind, places: places.filter((i) => inRing(spots[i])), gap_km2: gap_km2, area_km2: GapGeodesy.areaOf(ring) / 1e6 };
    }
    let found = null;  // in the drawn area, of what the filters show
    function openArea(ring) {
      clear(false);
      corners.splice(0, corners.length, ...ring);
      drawCorners(true);
      corners.length = 0;
      area = ring;
      selected = "area";
      found = query(ring);
      const inside = found.places, nodes = [make("div", { id: "area-found" })];
      if (inside.length) nodes.push(make("details", {}, make("summary", { text: words.places }), make("p", { class: "small" }, ...apart(inside.map((i) => facts.places[i].label || facts.places[i].name), COMMA))));
      if (points) nodes.push(make("button", { type: "button", class: "action", id: "area-csv", text: words.csv_incidents, on: { click: () => download("incidents-in-area.csv", "text/csv", csvIncidents(found.incidents)) } }));
      open(words.area_title, [...nodes, make("p", { class: "small", id: "area-note" })]);
      showFound();
    }
    function showFound() {
      box("area-found").replaceChildren(figures([
        ["area_km2", words.measure_area, km2(found.area_km2), found.area_km2], ["gap_km2", words.gap_inside, km2(found.gap_km2), found.gap_km2],
        // What the page does not hold is not there to be counted as none.
        ["incidents", words.incidents_plain, points ? number(found.incidents.length) : null, found.incidents.length],
        ...Object.entries(found.by_kind).sort((a, b) => b[1] - a[1]).map(([kind, count]) => ["kind:" + kind, kind, number(count), count]),
        ["places", words.places_inside, places.length ? number(found.places.length) : null, found.places.length],
        people(found.places.length, found.places.reduce((sum, i) => sum + (facts.places[i].population || 0), 0)),
      ]));
      box("area-note").textContent = words[filtering() ? "area_note_filtered" : "area_note"];
    }

    map.on("click", function (event) {
      if (tool) {
        useKeys(false);
        return addCorner(event.latlng);
      }
      const zoom = map.getZoom(), reach = L.Browser.mobile ? 18 : 10, at = mercator(event.latlng.lat, event.latlng.lng);
      const i = points && shownLayer("incidents") && !dense ? points.nearest(at[0], at[1], reach / scaleNow()) : -1;
      if (i >= 0) return openIncident(i);
      if (shownLayer("places")) {
        let best = -1, least = reach / scaleNow();
        spots.forEach(function (p, k) { const d = Math.hypot(p[0] - at[0], p[1] - at[1]); if (d < least && labelled(facts.places[k], zoom)) { best = k; least = d; } });
        if (best >= 0) return openPlace(best);
      }
      if (facts.grid) return openCell(event.latlng);
      const here = widthHere(event.latlng.lat, event.latlng.lng);
      if (here && here.stretch >= 0 && keeps[here.stretch]) return openStretch(here.stretch, event.latlng, here);
      openPoint(event.latlng);
    });
    // A cell of the public grid: its class, and its incidents by year; a year that is not listed has fewer than three.
    function openCell(at) {
      const cell = facts.grid.cells.find(({ box: [west, south, east, north] }) => at.lng >= west && at.lng < east && at.lat >= south && at.lat < north);
      clear(false);
      selected = "point";
      spot(at);
      const rows = cell ? [["gap_km2", words.grid_gap, gridClass(...facts.grid.classes[cell.gap])], ...cell.incidents.map(([year, count]) => ["incidents_" + year, t("grid_incidents", { year: year }), number(count), count])] : [];
      open(cell ? cell.id : words.here, [cell ? figures(rows) : small("grid_outside"), ...(cell ? [small("grid_withheld")] : []), make("p", { class: "small" }, make("bdi", { text: position(at) }), " ", make("bdi", { text: GapGeodesy.mgrs(at.lat, at.lng), "data-key": "mgrs" }))]);
    }
    function openPoint(at) {
      if (facts.grid) return openCell(at);
      clear(false);
      selected = "point";
      spot(at);
      open(words.here, hereText(widthHere(at.lat, at.lng), at));
    }
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { if (tool) { stopTool(); drawnArea.clearLayers(); } else if (!details.hidden) clear(true); }
      if (event.key === "Enter" && tool && !event.target.closest("a, button, input, select")) finish();
    });
    frame.addEventListener("keydown", function (event) {
      if (!tool || event.target !== frame) return;
      if (event.key.startsWith("Arrow")) return useKeys(true);
      if (event.key === "Backspace") {
        corners.pop();
        drawCorners(false);
        if (tool === "measure") showMeasure();
      } else if (event.key === " " || event.key === "Enter" && (byKeys || !corners.length)) {  // after clicks Enter ends
        useKeys(true);
        if (!event.repeat) addCorner(map.getCenter());
      } else return;
      event.preventDefault();
      event.stopPropagation();
      const last = corners[corners.length - 1];
      if (tool) say(last ? t("corner_set", { n: number(corners.length), at: position(L.latLng(last)) }) : words.hint_keys);
    });
    ["area", "measure"].forEach(function (each) {
      box("tool-" + each).title = words["hint_" + each] + " " + words.hint_keys;
      box("tool-" + each).addEventListener("click", (event) => startTool(each, !event.detail));  // no click of a key has a count
    });

    // ---- The list of stretches: the way in for the keyboard. Only the rows in sight are in the page. ----
    const ROW = 50, list = box("list");
    const shortKm = (m) => (blank(m) ? "" : number(m / 1000, 1));
    const incidentsOf = (i) => (counted ? counted.byStretch[i + 1] : stretches[i]?.incidents_count);
    const COLUMNS = [
      ["name", "col_name", (i) => nameOf(stretches[i]), (i) => nameOf(stretches[i])],
      ["width_mean_m", "col_mean", (i) => shortKm(stretches[i].width_mean_m), (i) => stretches[i].width_mean_m],
      ["width_max_m", "col_widest", (i) => shortKm(stretches[i].width_max_m), (i) => stretches[i].width_max_m],
      ["length_km", "col_length", (i) => (blank(stretches[i].length_km) ? "" : number(stretches[i].length_km, 1)), (i) => stretches[i].length_km],
      ["incidents", "col_incidents", (i) => number(incidentsOf(i)), incidentsOf],
    ];
    let listBody = null, scroller = null;
    const rowNodes = new Map();
    const zoomTo = (where) => map.fitBounds(where, { padding: [40, 40], maxZoom: 12, animate: false });
    const goTo = (i) => zoomTo(boundsOf(i));
    function pick(i, button) {
      goTo(i);
      openStretch(i);
      opener = button;
      details.focus({ preventScroll: true });
    }
    function makeRow(at) {
      const i = shownRows[at], row = stretches[i];
      const tr = make("tr", { "aria-selected": String(selected === row.id), "aria-rowindex": at + 2, "data-id": row.id, style: "height:" + ROW + "px" });
      COLUMNS.forEach(function ([key, , text], k) {
        if (k) return tr.append(make("td", { class: "number", text: text(i), "data-key": key }));
        const button = make("button", { type: "button", dir: "auto", title: text(i) }, make("span", { text: text(i) }));
        button.addEventListener("click", () => pick(i, button));
        button.addEventListener("focus", () => seeRow(Number(tr.getAttribute("aria-rowindex")) - 2));
        tr.append(make("td", {}, button));
      });
      return tr;
    }
    function drawRows() {
      if (!scroller) return;
      const high = scroller.clientHeight || 400, first = Math.max(0, Math.floor(scroller.scrollTop / ROW) - 6), last = Math.min(shownRows.length, first + Math.ceil(high / ROW) + 14);
      for (const [at, node] of rowNodes) {
        if ((at < first || at >= last) && !node.contains(document.activeElement)) { node.remove(); rowNodes.delete(at); }
      }
      for (let at = first; at < last; at++) if (!rowNodes.has(at)) rowNodes.set(at, makeRow(at));
      const order = [...rowNodes.keys()].sort((a, b) => a - b), gap = (rows) => make("tr", { class: "gap", "aria-hidden": "true", style: "height:" + rows * ROW + "px" }, make("td", { colspan: 5 }));
      listBody.querySelectorAll(".gap").forEach((each) => each.remove());
      let before = null, done = 0;
      order.forEach(function (at) {
        const node = rowNodes.get(at);
        if (before ? before.nextSibling !== node : listBody.firstChild !== node) { if (before) before.after(node); else listBody.prepend(node); }
        if (at > done) node.before(gap(at - done));
        done = at + 1;
        before = node;
      });
      if (done < shownRows.length) listBody.append(gap(shownRows.length - done));
    }
    function listRows() {
      shownRows = stretches.map((_, i) => i).filter((i) => keeps[i]);
      const column = COLUMNS.find((each) => each[0] === sort.key);
      if (column) {
        const value = column[3], order = (a, b) => (typeof a === "string" ? a.localeCompare(b) : (a ?? -1) - (b ?? -1));
        shownRows.sort((a, b) => (sort.up ? 1 : -1) * order(value(a), value(b)) || a - b);
      }
      rowNodes.forEach((node) => node.remove());
      rowNodes.clear();
      if (scroller) {
        scroller.firstChild.setAttribute("aria-rowcount", shownRows.length + 1);
        scroller.querySelectorAll("th").forEach((th) => th.setAttribute("aria-sort", th.dataset.key === sort.key ? (sort.up ? "ascending" : "descending") : "none"));
        scroller.hidden = !shownRows.length;
        box("none-shown").hidden = shownRows.length > 0;
      }
      drawRows();
    }
    function seeRow(at) {
      const top = at * ROW, head = 40;
      if (top < scroller.scrollTop) scroller.scrollTop = top;
      else if (top + ROW + head > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + ROW + head - scroller.clientHeight;
      drawRows();
    }
    function revealRow(i) { const at = shownRows.indexOf(i); if (scroller && at >= 0) seeRow(at); }
    function focusRow(at) {
      if (!scroller || at < 0 || at >= shownRows.length) return;
      openTab("list");
      seeRow(at);
      rowNodes.get(at).querySelector("button").focus({ preventScroll: true });
    }
    function markRows() { rowNodes.forEach((node) => node.setAttribute("aria-selected", String(node.dataset.id === selected))); }
    function buildList() {
      if (!stretches.length) return void list.append(make("p", { text: facts.forces.length < 2 ? words.one_force : words.no_stretch }));
      const head = make("tr", { "aria-rowindex": 1 });
      COLUMNS.forEach(function ([key, name], k) {
        const button = make("button", { type: "button", text: words[name], on: { click: function () { sort = { key: key, up: sort.key === key ? !sort.up : k === 0 }; listRows(); } } });
        head.append(make("th", { scope: "col", class: k ? "number" : "", "data-key": key, "aria-sort": "none" }, button));
      });
      listBody = make("tbody");
      scroller = make("div", { id: "scroller" }, make("table", { "aria-rowcount": stretches.length + 1, "aria-labelledby": "tab-list" }, make("thead", {}, head), listBody));
      scroller.addEventListener("scroll", drawRows, { passive: true });
      scroller.addEventListener("keydown", function (event) {
        const tr = event.target.closest("tbody tr"), jump = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
        if (!tr || !jump) return;
        event.preventDefault();
        focusRow(Math.max(0, Math.min(shownRows.length - 1, Number(tr.getAttribute("aria-rowindex")) - 2 + jump)));
      });
      list.append(scroller, make("p", { id: "none-shown", text: words.none_shown, hidden: "" }), small("list_note"));
    }

    // ---- Legend and layer control in one, by group, top layer first. ----
    function swatch(look, narrow) {
      const canvas = make("canvas", { width: narrow ? 36 : 68, height: 36, "aria-hidden": "true" }), ink = canvas.getContext("2d");
      ink.scale(2, 2);
      paintSwatch(ink, look, 0, 0);
      return canvas;
    }
    function paintSwatch(ink, look, x, y) {
      ink.save();
      ink.translate(x, y);
      if (look.widths) WIDTHS.forEach((colour, i) => { ink.fillStyle = colour; ink.fillRect(i * 6.8, 0, 7, 18); });
      else if (look.line) [look.line].flat().forEach(function (line, k, { length }) {
        const y = 18 * (k + 1) / (length + 1);
        ink.setLineDash(line.dash || []);
        ink.strokeStyle = line.color; ink.lineWidth = line.weight; ink.globalAlpha = line.strokeOpacity || 1;
        ink.beginPath(); ink.moveTo(0, y); ink.lineTo(34, y); ink.stroke();
      });
      else if (look.mark) look.mark(ink, 17, 9);
      else if (look.kind !== undefined) glyph(ink, look.kind, 9, 9, 5.5);
      else if (look.grey) {
        const shade = ink.createLinearGradient(0, 0, 34, 0);
        shade.addColorStop(0, "#fff"); shade.addColorStop(0.5, "#bbb"); shade.addColorStop(1, "#666");
        ink.fillStyle = shade; ink.fillRect(0, 0, 34, 18);
      } else if (look.fill) {
        ink.fillStyle = "#fff"; ink.fillRect(0, 0, 34, 18);
        ink.fillStyle = look.fill; ink.fillRect(0, 0, 34, 18);
        if (look.color) { ink.strokeStyle = look.color; ink.lineWidth = 1.5; ink.strokeRect(0.75, 0.75, 32.5, 16.5); }
      }
      ink.restore();
    }
    const classEdge = (m) => String(Math.round(m) / 1000);
    const classOf = (m) => Math.max(0, facts.classes.findIndex(([from, to], i) => m >= from && (m < to || i === facts.classes.length - 1)));
    function classCounts(ofPoints) {
      const counts = facts.classes.map(() => 0);
      shownRows.forEach((i) => counts[classOf(stretches[i].width_max_m || 0)]++);
      document.querySelectorAll("[data-class]").forEach((each) => { each.querySelector(".count").textContent = number(counts[Number(each.dataset.class)]); });
      if (!points || !ofPoints) return;
      document.querySelectorAll("[data-kind-count]").forEach((node) => { node.textContent = number(counted.byKind[Number(node.dataset.kindCount)]); });
    }
    function buildLegend() {
      const target = box("layers");
      target.append(make("p", { class: "small", text: words.opacity }));
      ["changes", "marks", "between", "forces", "other", "background", "added"].forEach(function (group) {
        const mine = layers.filter((entry) => entry.group === group).reverse();
        if (mine.length || (group === "changes" && facts.changes)) target.append(make("h3", { text: words["group_" + group] }));
        mine.forEach(function (entry) {
          const input = make("input", { type: "checkbox", "data-layer": entry.id, on: { change: () => show(entry, input.checked) } });
          // Sentences of the page have its direction, names of layers that somebody added their own.
          const name = make(group === "added" ? "bdi" : "span", { text: entry.name });
          entry.row = make("div", { class: "layer" }, make("label", {}, input, swatch(entry.swatch), name));
          if (!entry.fixed) entry.row.append(make("input", { type: "range", min: 0.1, max: 1, step: 0.1, value: 1, "data-opacity": entry.id, "aria-label": t("opacity_of", { layer: entry.name }), on: { input: function (event) { entry.opacity = Number(event.target.value); dress(entry); redraw(); } } }));
          target.append(entry.row);
          if (entry.id === "corridors") {
            const classes = make("ul", { class: "classes", "data-below": "corridors", "aria-label": words.classes });
            facts.classes.forEach(function ([from, to], i) {
              const colour = make("i");
              colour.style.background = WIDTHS[i];
              classes.append(make("li", { "data-class": i }, colour, make("bdi", { text: classEdge(from) + "–" + classEdge(to) }), make("span", { class: "count" })));
            });
            classes.append(make("li", { class: "unit", text: words.classes_note }));
            target.append(classes);
          }
          if (entry.id === "incidents") {
            const shown = make("ul", { class: "kinds", "data-below": "incidents" });
            kinds.slice(0, 12).forEach((kind, k) => shown.append(make("li", {}, swatch({ kind: forms[k] }, true), make("bdi", { text: kind || words.no_kind }), make("span", { class: "count", "data-kind-count": k }))));
            if (kinds.length > 12) shown.append(make("li", {}, ...rich("more_kinds", { n: number(kinds.length - 12) })));
            target.append(shown, make("p", { id: "crowded", class: "small", text: words.crowded, hidden: "" }));
          }
        });
        if (group === "changes" && facts.changes) target.append(changeList(facts.changes));
      });
      if (facts.grid) target.append(small("grid_withheld"));
      else if (!facts.incidents_shared) target.append(small("counts_only"));
      else if (!points) target.append(small("no_incidents"));
    }

    // What changed against another result; a click shows where.
    function changeList(changes) {
      const list = make("ul", { class: "changes" }), kind = (name) => words["ground_" + (name === "other" ? "open" : name)];
      const line = (where, text, more) => list.append(make("li", {}, make("button", { type: "button", class: "plain", on: { click: () => zoomTo(where) } }, ...text), more));
      changes.corridors.forEach((row) => line(row.bounds, [make("bdi", { text: nameOf(row) }), ": " + words["state_" + row.state]], small("change_figures", { before: km2(row.area_before_km2), after: km2(row.area_after_km2), gained: km2(row.gained_km2), lost: km2(row.lost_km2) })));
      changes.places.forEach((row) => line([[row.lat, row.lon]], rich("change_place", { name: nameOf(row), before: kind(row.kind_before), after: kind(row.kind_after) }), ""));
      list.append(make("li", {}, small("change_rest", { n: number(changes.unchanged) })));
      return list;
    }

    // ---- The panel of filters. ----
    const pairs = [...new Map(stretches.map((row) => [row.force_a + "|" + row.force_b, t("between_forces", { a: label(row.force_a), b: label(row.force_b) })])).entries()];
    const field = {};
    const choice = (options, change) => make("select", { on: { change: change } }, ...options.map(([value, text]) => make("option", { value: value, text: text })));
    function buildFilter() {
      const target = box("filter"), line = (name, node) => make("label", { class: "field" }, make("span", { text: name }), node);
      if (stretches.length) {
        field.width = make("input", { type: "range", id: "width", min: 0, max: limitKm, step: limitKm / 40, on: { input: () => { filters.width_km = Number(field.width.value); apply(); } } });
        field.widthText = make("output", { for: "width" });
        field.pair = choice([["", words.all_pairs], ...pairs], () => { filters.pair = field.pair.value; apply(); });
        target.append(make("h3", { text: words.filter_stretches }), line(words.filter_width, field.width), field.widthText, line(words.filter_pair, field.pair));
      }
      if (points) {
        target.append(make("h3", { text: words.filter_incidents }));
        field.kinds = make("fieldset", {}, make("legend", { text: words.kind }));
        kinds.forEach(function (kind, k) {
          const input = make("input", { type: "checkbox", "data-kind": k, on: { change: function () {
            const on = [...field.kinds.querySelectorAll("input")].filter((each) => each.checked).map((each) => kinds[each.dataset.kind]);
            filters.kinds = on.length === kinds.length ? null : on;
            apply();
          } } });
          field.kinds.append(make("label", {}, input, swatch({ kind: forms[k] }, true), make("bdi", { text: kind || words.no_kind }), make("span", { class: "count", "data-kind-count": k })));
        });
        field.deaths = choice([["0", words.any_deaths], ["1", t("deaths_from", { n: 1 })], ["5", t("deaths_from", { n: 5 })], ["10", t("deaths_from", { n: 10 })], ["50", t("deaths_from", { n: 50 })]], () => { filters.deaths = Number(field.deaths.value); apply(); });
        const check = (name, text) => { field[name] = make("input", { type: "checkbox", id: "filter-" + name, on: { change: () => { filters[name] = field[name].checked; apply(); } } }); return make("label", { class: "check" }, field[name], make("span", { text: text })); };
        target.append(field.kinds, line(words.deaths, field.deaths), check("civilians", words.filter_civilians), ...(stretches.length ? [check("listed", words.filter_listed)] : []));
        if (undated) target.append(small("undated", { n: number(undated) }));
        if (lastDay < 0) target.append(small("no_dates"));
        if (!lastDay) target.append(small("one_day", { date: day(iso(0)) }));
      }
      if (!target.childNodes.length) target.append(small("nothing_to_filter"));
      else target.append(make("button", { type: "button", id: "clear", class: "action", text: words.clear, on: { click: clearFilters } }), small("plain_note"));
    }
    function fillFilter() {
      if (field.width) {
        field.width.value = String(filters.width_km);
        field.widthText.replaceChildren(...rich("width_at_least", { n: plain("km", String(filters.width_km)) }));
        field.width.setAttribute("aria-valuetext", plain("km", String(filters.width_km)));
        field.pair.value = filters.pair;
      }
      if (points) {
        field.kinds.querySelectorAll("input").forEach((each) => { each.checked = !filters.kinds || filters.kinds.includes(kinds[each.dataset.kind]); });
        field.deaths.value = String(filters.deaths);
        field.civilians.checked = filters.civilians;
        if (field.listed) field.listed.checked = filters.listed;
      }
    }

    // ---- The window of dates: histogram, two handles, play. ----
    let playing = null;
    function drawHistogram() {
      if (lastDay < 0) return;
      const canvas = box("histogram").firstElementChild, counts = counted.byDay, most = Math.max(1, ...counts);
      const wide = box("histogram").clientWidth || 600, high = 44;
      canvas.width = 2 * wide;
      canvas.height = 2 * high;
      const ink = canvas.getContext("2d");
      ink.scale(2, 2);
      ink.fillStyle = "#56636e";
      counts.forEach((count, k) => ink.fillRect(k * wide / bins, high - count / most * (high - 4), Math.max(1, wide / bins - 0.5), count / most * (high - 4)));
      box("histogram").dataset.total = String(counts.reduce((sum, count) => sum + count, 0));
    }
    const spanNow = () => span || [0, lastDay];
    function placeHandles() {
      if (lastDay < 0) return;
      const [from, to] = spanNow(), share = (d) => 100 * d / (lastDay + 1) + "%";
      box("from").style.left = share(from);
      box("to").style.left = share(to + 1);
      box("shade-from").style.width = share(from);
      box("shade-to").style.left = share(to + 1);
      [["from", from], ["to", to]].forEach(function ([name, d]) {
        const handle = box(name);
        Object.entries({ "aria-valuemin": 0, "aria-valuemax": lastDay, "aria-valuenow": d, "aria-valuetext": day(iso(d)) }).forEach(([key, value]) => handle.setAttribute(key, value));
      });
      box("window").replaceChildren(...rich("from_to", { from: day(iso(from)), to: day(iso(to)) }));
    }
    // From one first day to another: months begin on the first, so that windows are months and a step back undoes one.
    function stepped(d, by) {
      const step = box("step").value;
      if (step !== "month") return d + by * (step === "week" ? 7 : 1);
      const at = new Date(firstDay + d * dayMs);
      return Math.round((Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + by + (by < 0 && at.getUTCDate() > 1), 1) - firstDay) / dayMs);
    }
    const within = (d) => Math.max(0, Math.min(lastDay, d));
    function moveHandle(name, to) {
      const [from, until] = spanNow();
      const day = within(to);  // a handle pushes the other one: where both stand together neither is caught
      setSpan(name === "from" ? [day, Math.max(day, until)] : [Math.min(day, from), day]);
    }
    function stopPlaying() {
      clearInterval(playing);
      playing = null;
      box("play").textContent = words.play;
      box("play").setAttribute("aria-pressed", "false");
    }
    function play() {
      if (playing) return stopPlaying();
      // At the end it begins again with as many steps as the window holds.
      if (!span || span[1] >= lastDay) setSpan([0, within(stepped(0, span ? Math.max(1, Math.round((span[1] - span[0] + 1) / (stepped(0, 2) - stepped(0, 1)))) : 1) - 1)]);
      box("play").textContent = words.pause;
      box("play").setAttribute("aria-pressed", "true");
      playing = setInterval(function () {
        const [from, to] = spanNow();
        if (to >= lastDay) return stopPlaying();
        setSpan([within(stepped(from, 1)), within(stepped(to + 1, 1) - 1)]);
      }, 1000 / Number(box("speed").value));
    }
    function buildTime() {
      if (lastDay < 1) return;
      box("time").hidden = false;
      [["day", words.step_day], ["week", words.step_week], ["month", words.step_month]].forEach(([value, text]) => box("step").append(make("option", { value: value, text: text })));
      box("step").value = lastDay > 200 ? "month" : lastDay > 40 ? "week" : "day";
      ["2", "4", "8"].forEach((value) => box("speed").append(make("option", { value: value, text: t("per_second", { n: value }) })));
      box("speed").addEventListener("change", function () { if (playing) { stopPlaying(); play(); } });
      box("play").addEventListener("click", play);
      box("window-all").addEventListener("click", function () { stopPlaying(); setSpan(null); });
      document.addEventListener("visibilitychange", function () { if (document.hidden) stopPlaying(); });
      ["from", "to"].forEach(function (name) {
        const handle = box(name), step = (by) => (name === "from" ? stepped(spanNow()[0], by) : stepped(spanNow()[1] + 1, by) - 1);
        handle.addEventListener("keydown", function (event) {
          const to = { ArrowRight: () => step(1), ArrowUp: () => step(1), ArrowLeft: () => step(-1), ArrowDown: () => step(-1), Home: () => 0, End: () => lastDay }[event.key];
          if (!to) return;
          event.preventDefault();
          moveHandle(name, to());
        });
        handle.addEventListener("pointerdown", function (event) {
          event.preventDefault();
          handle.focus();
          handle.setPointerCapture(event.pointerId);
          const move = (each) => { const r = box("histogram").getBoundingClientRect(); moveHandle(name, Math.round((each.clientX - r.left) / r.width * (lastDay + 1)) - (name === "to" ? 1 : 0)); };
          handle.addEventListener("pointermove", move);
          handle.addEventListener("pointerup", () => handle.removeEventListener("pointermove", move), { once: true });
        });
      });
    }

    // ---- Go to: degrees, MGRS, or a name in any spelling held. ----
    // Letters alone, one for those that Arabic, Persian and Kurdish write differently: the same as `fold` in names.py.
    const SAME = {};
    [["\u0671", "\u0627"], ["\u0649\u06cc\u06d0\u06d2\u06ce", "\u064a"], ["\u06a9\u06aa", "\u0643"], ["\u0629\u06d5\u06be\u06c1", "\u0647"], ["\u06c6\u06c7\u06cb", "\u0648"], ["\u0695", "\u0631"], ["\u06b5", "\u0644"],
      ["\u0621", ""], ["\u0131", "i"], ["\u0259", "e"], ["\u0142", "l"], ["\u0111", "d"], ["\u00f8", "o"], ["\u00df", "ss"], ["\u03c2", "\u03c3"]].forEach(([letters, one]) => [...letters].forEach((letter) => { SAME[letter] = one; }));
    function fold(text) {
      const plain = GapGeodesy.latinDigits(text).normalize("NFKC").replace(/(^|[^\p{L}])\u0626/gu, "$1").normalize("NFKD").toLowerCase();
      return [...plain].map((c) => (c in SAME ? SAME[c] : c)).join("").replace(/[^\p{L}\p{N}]|\p{Lm}/gu, "");
    }
    // The consonants of a folded name, those that spellings differ in as one: the same as `sound` in names.py, in Latin letters.
    const SOUNDS = "kh h gh k sh s ch j dh d th t dj j ph f x h q k g k c j p b v w".split(" ");
    function sound(folded) {
      for (let k = 0; k < SOUNDS.length; k += 2) folded = folded.replaceAll(SOUNDS[k], SOUNDS[k + 1]);
      return folded.replace(/[aeiouyw]|[^a-z0-9]/g, "").replace(/(.)\1+/g, "$1").replace(/h$/, "");
    }
    // Twice the letters that two names have in the same order, of all letters of both.
    function alike(a, b) {
      const most = Array(b.length + 1).fill(0);
      for (const c of a) for (let k = 0, before = 0; k < b.length; k++) [before, most[k + 1]] = [most[k + 1], c === b[k] ? before + 1 : Math.max(most[k], most[k + 1])];
      return 2 * most[b.length] / (a.length + b.length);
    }
    let index = null;
    function search(text) {
      index = index || places.flatMap((i) => [...new Set([facts.places[i].name, facts.places[i].label || "", ...facts.places[i].names])].filter(Boolean).map((name) => [fold(name), "place", i]))
        .concat(stretches.flatMap((row, i) => [...new Set([nameOf(row), row.name || row.id])].map((name) => [fold(name), "stretch", i])));
      const wanted = fold(text), heard = sound(wanted), seen = new Set();
      // 0: the same, 1: begins with it, 2: has it within; from 3: the same consonants, from 4: like it, the likest first.
      const rank = function (name) {
        if (name.includes(wanted)) return name === wanted ? 0 : name.startsWith(wanted) ? 1 : 2;
        const like = alike(wanted, name), same = heard && like >= 0.5 && sound(name) === heard;
        return same || like >= 0.75 ? (same ? 4 : 5) - like : 9;
      };
      if (!wanted) return [];
      const found = index.map(([name, ...rest]) => [rank(name), ...rest]).filter((each) => each[0] < 9).sort((a, b) => a[0] - b[0]);
      return found.filter(([how, kind, i]) => (how < 3 || found[0][0]) && !seen.has(kind + i) && seen.add(kind + i)).slice(0, 8);
    }
    // What a text names where that is sure, by the same rules as `find` in names.py.
    function sure(text, found) {
      const least = found.length && found[0][0], most = least ? (least < 3 ? 2 : 3.1) : 0, those = found.filter((each) => each[0] <= most);
      return those.length === 1 && (most !== 2 || fold(text).length > 2) ? those[0] : null;
    }
    function goFound([, kind, i]) {
      box("goto-found").hidden = true;
      opener = null;
      if (kind === "stretch") { goTo(i); openStretch(i); } else {
        map.setView([facts.places[i].lat, facts.places[i].lon], Math.max(map.getZoom(), 11), { animate: false });
        openPlace(i);
      }
      opener = box("goto-text");
      details.focus({ preventScroll: true });
    }
    function goToText() {
      const text = box("goto-text").value, at = GapGeodesy.parsePoint(text), found = at ? [] : search(text), list = box("goto-found");
      say("");
      list.replaceChildren();
      list.hidden = true;
      if (at) {
        map.setView(at, Math.max(map.getZoom(), 11), { animate: false });
        openPoint(L.latLng(at[0], at[1]));
        opener = box("goto-text");
        const said = position(L.latLng(at[0], at[1]));
        return say(full.contains(at) ? said : t("far_off", { at: said }));
      }
      if (!text.trim()) return;
      if (!found.length) return say(t("not_found", { text: text }));
      const one = sure(text, found);
      if (one) return goFound(one);
      found.forEach((each) => list.append(make("button", { type: "button", dir: "auto", text: each[1] === "place" ? facts.places[each[2]].label || facts.places[each[2]].name : nameOf(stretches[each[2]]), on: { click: () => goFound(each) } })));
      list.hidden = false;
    }
    box("goto-go").addEventListener("click", goToText);
    box("goto-text").addEventListener("keydown", function (event) {
      if (event.key === "Enter") goToText();
      if (event.key === "Escape" && !box("goto-found").hidden) { event.stopPropagation(); box("goto-found").hidden = true; }
    });
    function say(text) { box("said").textContent = text; }
    function copyText(text, note = t("copied", { text: text })) {
      const done = () => say(note);
      const byHand = () => window.prompt(words.copy, text);
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand); else byHand();
    }

    // ---- Tabs. ----
    const TABS = facts.grid ? ["legend", "made"] : ["legend", "list", "filter", "save", "made"];
    ["list", "filter", "save"].forEach((each) => { box("panel-" + each).hidden = true; });
    // A grid holds neither outlines nor positions: no area of it can be told, and no place be found.
    box("tool-area").hidden = Boolean(facts.grid);
    box("count").hidden = Boolean(facts.grid);
    function openTab(name) {
      TABS.forEach(function (each) {
        const on = each === name, tab = box("tab-" + each);
        tab.setAttribute("aria-selected", String(on));
        tab.tabIndex = on ? 0 : -1;
        box("panel-" + each).hidden = !on;
      });
      if (name === "list") drawRows();
    }
    function buildTabs() {
      TABS.forEach(function (name, k) {
        const tab = make("button", { type: "button", role: "tab", id: "tab-" + name, "aria-controls": "panel-" + name, text: words["tab_" + name], on: {
          click: () => openTab(name),
          keydown: function (event) {
            const by = { ArrowRight: words.rtl ? -1 : 1, ArrowLeft: words.rtl ? 1 : -1 }[event.key];
            if (!by) return;
            const next = TABS[(k + by + TABS.length) % TABS.length];
            openTab(next);
            box("tab-" + next).focus();
          },
        } });
        box("tabs").append(tab);
      });
    }

    // ---- Export: what the filters show. ----
    function csv(rows, names) {
      // A spreadsheet runs what starts with = + - @: text of that kind gets an apostrophe, numbers stay numbers.
      const cell = function (value) {
        if (blank(value)) return "";
        const text = typeof value === "string" ? (/^[=+\-@\t\r]/.test(value) ? "'" + value : value) : String(value);
        return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
      };
      return "\ufeff" + [names.join(",")].concat(rows.map((row) => names.map((name) => cell(row[name])).join(","))).join("\r\n") + "\r\n";
    }
    const marked = (row) => ({ ...row, edition: facts.run.edition, ...(facts.run.notice ? { notice: facts.run.notice } : {}) });
    const csvIncidents = (list) => csv(list.map((i) => marked(incident(i))), Object.keys(marked(incident(0))));
    const stretchRow = (i) => { const { label, ...row } = stretches[i] || {}; return marked({ ...row, incidents_shown: incidentsOf(i) }); };
    const stretchRows = () => shownRows.map(stretchRow);
    const csvStretches = () => csv(stretchRows(), Object.keys(stretchRow(0)));
    const feature = (geometry, properties) => ({ type: "Feature", geometry: geometry, properties: properties });
    const collection = (features) => JSON.stringify({ type: "FeatureCollection", features: features });
    const round5 = (v) => Math.round(v * 1e5) / 1e5;
    function geojsonStretches() {
      return collection(shownRows.map(function (i) {
        const rings = shapes.stretches[i].map((polygon) => polygon.map(function (flat) {
          const out = [];
          for (let k = 0, lon = 0, lat = 0; k < flat.length; k += 2) { lon += flat[k]; lat += flat[k + 1]; out.push([lon / 1e5, lat / 1e5]); }
          return out;
        }));
        return feature({ type: "MultiPolygon", coordinates: rings }, stretchRow(i));
      }));
    }
    const geojsonIncidents = () => collection(points.all().map((i) => { const { lat, lon, ...rest } = incident(i); return feature({ type: "Point", coordinates: [round5(lon), round5(lat)] }, marked(rest)); }));
    function download(name, type, data) {
      const link = make("a", { href: URL.createObjectURL(data instanceof Blob ? data : new Blob([data], { type: type })), download: name });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      say(t("saved", { name: name }));
    }
    function buildSave() {
      const add = (id, text, run) => box("save").append(make("button", { type: "button", class: "action", id: id, text: text, on: { click: run } }));
      if (stretches.length) {
        add("csv-stretches", words.csv_stretches, () => download("stretches.csv", "text/csv", csvStretches()));
        add("geojson-stretches", words.geojson_stretches, () => download("stretches.geojson", "application/geo+json", geojsonStretches()));
      }
      if (points) {
        add("csv-incidents", words.csv_incidents, () => download("incidents.csv", "text/csv", csvIncidents(points.all())));
        add("geojson-incidents", words.geojson_incidents, () => download("incidents.geojson", "application/geo+json", geojsonIncidents()));
      }
      if (points && !ids) box("save").append(small("no_ids"));
      box("save").append(small("save_note"));
    }

    // The map as it stands, and its scale bar, on another canvas.
    function paintMap(ink, x, y, W, H) {
      const stage = box("stage").getBoundingClientRect();
      ink.save();
      ink.beginPath();
      ink.rect(x, y, W, H);
      ink.clip();
      ink.fillStyle = "#eee";
      ink.fillRect(x, y, W, H);
      const nodes = [...document.querySelectorAll("#map_gapmap .leaflet-pane img, #map_gapmap .leaflet-pane canvas")];
      const level = (node) => Number(getComputedStyle(node.closest(".leaflet-pane")).zIndex) || 0;
      nodes.sort((a, b) => level(a) - level(b)).forEach(function (node) {
        const r = node.getBoundingClientRect();
        ink.globalAlpha = Number(getComputedStyle(node).opacity);
        ink.drawImage(node, r.left - stage.left + x + (W - stage.width) / 2, r.top - stage.top + y + (H - stage.height) / 2, r.width, r.height);
      });
      ink.globalAlpha = 1;
      const bar = document.querySelector(".leaflet-control-scale-line"), wide = bar.getBoundingClientRect().width;
      ink.fillStyle = "rgba(255,255,255,.9)";
      ink.fillRect(x + W - wide - 18, y + H - 34, wide + 10, 26);
      ink.fillStyle = "#1d2327";
      ink.fillRect(x + W - wide - 13, y + H - 14, wide, 2);
      ink.textAlign = "left";
      ink.textBaseline = "alphabetic";
      ink.direction = "ltr";
      ink.font = "12px " + FONT;
      ink.fillText(bar.textContent, x + W - wide - 12, y + H - 19);
      ink.restore();
    }

    // A picture is finer than a screen.
    const refine = (on) => { L.Browser.retina = on; [ground, marks, onTop].forEach((each) => each._map && each._update()); };

    // ---- A picture of the map with title, legend, scale, north and notice. ----
    function picture() {
      const stage = box("stage").getBoundingClientRect(), W = Math.round(stage.width), H = Math.round(stage.height), side = 300, top = 74, foot = 34;
      const seen = layers.filter((entry) => entry.shown && entry.swatch && (entry.draw || entry.marks || entry.swatch.grey)).reverse();
      const canvas = make("canvas", { width: 2 * (W + side), height: 2 * Math.max(H + top + foot, top + 150 + 24 * seen.length + 17 * Math.min(12, kinds.length)) }), ink = canvas.getContext("2d");
      ink.scale(2, 2);
      ink.fillStyle = "#fff";
      ink.fillRect(0, 0, W + side, canvas.height);
      ink.direction = words.rtl ? "rtl" : "ltr";
      const start = words.rtl ? W + side - 12 : 12, write = (text, x, y, font, colour, most) => { ink.font = font + " " + FONT; ink.fillStyle = colour; ink.fillText(most ? fit(ink, text, most) : text, x, y); };
      ink.textBaseline = "alphabetic";
      ink.textAlign = "start";
      write(facts.run.title, start, 26, "700 20px", "#1d2327", W + side - 24);
      wrap(ink, facts.run.headline, W + side - 24, "14px").slice(0, 2).forEach((line, k) => write(line, start, 47 + 18 * k, "14px", "#1d2327"));
      ink.save();
      const { retina } = L.Browser;
      refine(true);
      paintMap(ink, 0, top, W, H);
      refine(retina);
      if (facts.run.notice) {
        ink.save();
        ink.beginPath();
        ink.rect(0, top, W, H);
        ink.clip();
        ink.translate(W / 2, top + H / 2);
        ink.rotate(-0.42);
        ink.textAlign = "center";
        for (let k = -3; k <= 3; k++) write(facts.run.notice, 0, k * 150, "600 24px", "rgba(20,25,30,.2)");
        ink.restore();
      }
      ink.textAlign = "left";
      ink.direction = "ltr";
      ink.fillStyle = "rgba(255,255,255,.9)";
      ink.fillRect(W - 46, top + 8, 38, 22);
      ink.textAlign = "center";
      write("▲ " + words.north, W - 27, top + 24, "700 14px", "#1d2327");
      ink.restore();
      ink.direction = words.rtl ? "rtl" : "ltr";
      let y = top + 22;
      const x = W + 14, edge = words.rtl ? W + side - 12 : x, signs = words.rtl ? edge - 34 : x, far = words.rtl ? edge - 44 : x + 44;  // signs stand before their words
      ink.textAlign = "start";
      write(words.legend_title, edge, y, "700 14px", "#1d2327");
      y += 14;
      seen.forEach(function (entry) {
        paintSwatch(ink, entry.swatch, signs, y);
        write(entry.name, far, y + 13, "13px", "#1d2327", side - 70);
        y += 24;
        if (entry.id === "incidents") kinds.slice(0, 12).forEach(function (kind, k) {
          glyph(ink, forms[k], signs + 17, y + 5, 5);
          write(kind || words.no_kind, far, y + 9, "11px", "#57626b", side - 70);
          y += 17;
        });
        if (entry.id !== "corridors") return;
        facts.classes.forEach(function ([from, to], i) {
          ink.fillStyle = WIDTHS[i];
          ink.fillRect(x + i * 52, y, 50, 10);
          ink.save();
          ink.direction = "ltr"; ink.textAlign = "center";
          write(classEdge(from) + "–" + classEdge(to), x + i * 52 + 25, y + 22, "11px", "#57626b");
          ink.restore();
        });
        write(words.classes_unit, edge, y + 38, "11px", "#57626b");
        y += 46;
      });
      const low = top + H + 22;
      write([facts.run.edition, facts.run.date ? t("zones_of_day", { date: day(facts.run.date) }) : "", points ? box("count").textContent : "", facts.run.notice].filter(Boolean).join(" · "), start, low, "12px", "#57626b", W + side - 24);
      return canvas;
    }
    function wrap(ink, text, wide, font) {
      ink.font = font + " " + FONT;
      const lines = [""];
      text.split(" ").forEach(function (word) {
        const longer = lines[lines.length - 1] + (lines[lines.length - 1] ? " " : "") + word;
        if (ink.measureText(longer).width > wide && lines[lines.length - 1]) lines.push(word); else lines[lines.length - 1] = longer;
      });
      return lines;
    }
    box("save-png").addEventListener("click", () => picture().toBlob((blob) => download("map.png", "image/png", blob)));
    box("print").addEventListener("click", () => window.print());

    // ---- The whole state in the address, and back. ----
    function state() {
      const at = map.getCenter();
      return {
        selected: selected, layers: Object.fromEntries(layers.map((entry) => [entry.id, entry.shown])), opacity: Object.fromEntries(layers.filter((entry) => entry.opacity !== 1).map((entry) => [entry.id, entry.opacity])),
        centre: [round5(at.lat), round5(at.lng)], zoom: Math.round(map.getZoom() * 100) / 100, filters: { ...filters }, window: span && [iso(span[0]), iso(span[1])], area: area, clicked: clicked.map((at) => at.map((v) => Math.round(v * 1e6) / 1e6)), sort: { ...sort },
      };
    }
    const isText = (v) => typeof v === "string", isFlag = (v) => typeof v === "boolean", isIn = (v, low, high) => typeof v === "number" && v >= low && v <= high;
    const isPoint = (v) => Array.isArray(v) && v.length === 2 && isIn(v[0], -90, 90) && isIn(v[1], -180, 180);
    const isDay = (v) => isText(v) && /^\d{4}-\d\d-\d\d$/.test(v) && isIn(dayOf(v), 0, lastDay);
    const known = (v, test) => v && typeof v === "object" && !Array.isArray(v) && Object.entries(v).every(([id, each]) => layers.some((entry) => entry.id === id) && test(each));
    function readable(s) {
      const f = s && s.filters;
      return Boolean(s && typeof s === "object" && isPoint(s.centre) && isIn(s.zoom, 4, 18) && known(s.layers, isFlag) && known(s.opacity, (v) => isIn(v, 0.1, 1))
        && (s.selected === null || isText(s.selected)) && f && typeof f === "object"
        && (f.kinds === null || Array.isArray(f.kinds) && f.kinds.every((kind) => kinds.includes(kind))) && isIn(f.deaths, 0, 1e6) && isFlag(f.civilians) && isFlag(f.listed)
        && (f.pair === "" || pairs.some((pair) => pair[0] === f.pair)) && isIn(f.width_km, 0, limitKm)
        && (s.window === null || Array.isArray(s.window) && s.window.length === 2 && s.window.every(isDay) && s.window[0] <= s.window[1])
        && (s.area === null || Array.isArray(s.area) && s.area.length > 2 && s.area.length <= 1000 && s.area.every(isPoint) && !crosses(s.area))
        && (s.clicked === undefined || Array.isArray(s.clicked) && s.clicked.length <= 1000 && s.clicked.every(isPoint))
        && s.sort && (s.sort.key === "" || COLUMNS.some((column) => column[0] === s.sort.key)) && isFlag(s.sort.up));
    }
    // What an address holds comes from anywhere: one wrong thing in it, and none of it counts.
    function restore(hash) {
      let s = null;
      try { s = JSON.parse(decodeURIComponent(hash.replace(/^#gap=/, ""))); } catch { return false; }
      if (!hash.startsWith("#gap=") || !readable(s)) return false;
      layers.forEach(function (entry) {
        if (entry.id in s.layers) entry.shown = s.layers[entry.id];
        entry.opacity = entry.id in s.opacity ? s.opacity[entry.id] : 1;
        dress(entry);
      });
      filters = { kinds: s.filters.kinds, deaths: s.filters.deaths, civilians: s.filters.civilians, listed: s.filters.listed, pair: s.filters.pair, width_km: s.filters.width_km };
      sort = { key: s.sort.key, up: s.sort.up };
      if (points) takeSpan(s.window && s.window.map(dayOf));
      apply(Boolean(points));
      clear(false);
      const at = s.clicked?.length === 1 && L.latLng(s.clicked[0]);
      if (s.area) openArea(s.area);
      else if (s.selected === "point" && at) openPoint(at);
      else if (s.selected === "measure" && s.clicked?.length) {
        corners.push(...s.clicked);
        drawCorners(false);
        showMeasure();
        corners.length = 0;
      } else if (byStretch.has(s.selected)) openStretch(byStretch.get(s.selected), at, at && widthHere(at.lat, at.lng));
      else if (s.selected && /^incident:\d+$/.test(s.selected) && points && Number(s.selected.slice(9)) < points.count) openIncident(Number(s.selected.slice(9)));
      else if (s.selected && /^place:\d+$/.test(s.selected) && Number(s.selected.slice(6)) < facts.places.length) openPlace(Number(s.selected.slice(6)));
      map.setView(s.centre, s.zoom, { reset: true, animate: false });  // else it pans by whole pixels
      return true;
    }
    const hashOf = () => "#gap=" + encodeURIComponent(JSON.stringify(state()));
    box("copy-link").addEventListener("click", function () {
      const hash = hashOf();
      history.replaceState(null, "", hash);
      copyText(location.href.split("#")[0] + hash, words.link_copied);
    });
    window.addEventListener("hashchange", () => restore(location.hash));

    // ---- Words around the map. ----
    document.querySelectorAll("[data-word]").forEach((node) => { node.textContent = words[node.dataset.word]; });
    document.querySelectorAll("[data-word-label]").forEach((node) => node.setAttribute("aria-label", words[node.dataset.wordLabel]));
    const goes = places.length || stretches.length ? words.goto : words.goto_position;
    box("goto-text").setAttribute("aria-label", goes);
    box("goto-text").setAttribute("placeholder", goes);
    document.querySelector(".leaflet-control-zoom-in").setAttribute("aria-label", words.zoom_in);
    document.querySelector(".leaflet-control-zoom-in").title = words.zoom_in;
    document.querySelector(".leaflet-control-zoom-out").setAttribute("aria-label", words.zoom_out);
    document.querySelector(".leaflet-control-zoom-out").title = words.zoom_out;
    box("map_gapmap").setAttribute("aria-label", words.map_keys);
    box("map_gapmap").setAttribute("role", "application");
    const run = facts.run;
    box("edition").textContent = run.edition;
    box("date").replaceChildren(...(run.date ? rich("zones_of_day", { date: day(run.date) }) : []));
    if (run.notice) {
      [12, 37, 62, 87].forEach(function (top) {
        const row = make("div");
        row.style.top = top + "%";
        for (let k = 0; k < 3; k++) row.append(said("span", run.notice));
        box("notice").append(row);
      });
    }
    const versions = Object.entries(run.versions).map(([name, value]) => name + " " + value);
    const sources = run.inputs.map((item) => "\u2066" + item.name + "\u2069" + (blank(item.used) ? "" : t("rows_of", { used: number(item.used), rows: number(item.rows) })));
    [sources.length ? t("made_from", { sources: sources.join(COMMA) }) : "", facts.grid ? facts.grid.recipe : run.computed ? t("spans_line", { limit: limit, crs: run.crs }) : "", run.edition && run.edition + ".",
      versions.length ? versions[0] + "." : "", ...run.attributions, facts.grid ? "" : words.borders_note, run.notice, words.unchecked].filter(Boolean)
      .forEach((text) => box("provenance").append(said("bdi", text), " "));
    (function made() {
      const target = box("made");
      if (run.notice) target.append(said("p", run.notice, "banner"));
      if (words.unchecked) target.append(said("p", words.unchecked, "banner"));
      target.append(figures([
        ["title", words.title, run.title], ["date", words.date, run.date && day(run.date), run.date], ["max_width_m", words.limit, limit, run.max_width_m], ["crs", words.crs, run.crs], ["edition", words.edition, run.edition],
        ["created", words.created, run.created], ["gapmap", words.version, run.versions.gapmap], ["positions", words.positions, facts.incidents_shared ? words.positions_yes : words.positions_no],
        ["notes", words.notes, notes ? words.yes : words.no],
      ]), make("h3", { text: words.assumptions }), facts.grid ? said("p", facts.grid.recipe) : make("ul", { class: "plain" }, ...["assume_declared", "assume_spans", "assume_day", "assume_counts", "assume_borders"].map((key) => make("li", {}, ...rich(key, { limit: limit })))));
      if (facts.grid) return;
      if (run.reach.length) {
        target.append(make("h3", { text: words.reach }));
        run.reach.forEach((each) => target.append(figures([["reach", each.label, each.text]])));
      }
      target.append(make("h3", { text: words.inputs }));
      const roles = { zones: words.role_zones, incidents: words.incidents, places: words.places, boundaries: words.boundaries, terrain: words.relief, excluded: words.excluded, "area of interest": words.role_area };
      run.inputs.forEach(function (item) {
        target.append(make("h4", {}, ...apart([Object.hasOwn(roles, item.role) ? roles[item.role] : item.role, item.force].filter(Boolean), ": "), ...(item.name ? [": ", make("bdi", { text: item.name, dir: "ltr" })] : [])), figures([
          ["used", words.rows_used, blank(item.used) ? null : t("of", { used: number(item.used), rows: number(item.rows) })],
          ["set_aside", words.set_aside, item.set_aside ? number(item.set_aside) : null],
          ["repaired", words.repaired, item.repaired ? number(item.repaired) : null],
          ["remarks", words.remarks, item.remarks.length ? item.remarks.map((text) => said("div", text)) : null, item.remarks.length],
          ["sha256", "SHA-256", item.sha256 || null, item.sha256],
        ]));
      });
      target.append(said("p", versions.join(", "), "small"));
    })();

    // ---- Go. ----
    buildTabs();
    buildLegend();
    buildFilter();
    buildList();
    buildSave();
    buildTime();
    openTab("legend");
    const full = L.latLngBounds(facts.bounds);
    map.invalidateSize({ animate: false });
    // Of a comparison what changed is shown first.
    const news = facts.changes ? facts.changes.corridors.flatMap((row) => row.bounds) : [];
    const view = () => map.getCenter() + " " + map.getZoom();
    let home = "";  // the first view, as long as nobody moved the map
    function goHome() {
      if (news.length) zoomTo(news);
      else map.fitBounds(full, { paddingTopLeft: [map.getSize().x < 500 ? 62 : 12, 12], paddingBottomRight: [12, 12], animate: false });  // beside the buttons
      home = view();
    }
    goHome();
    ground.addTo(map);
    marks.addTo(map);
    layers.forEach(dress);
    apply();
    redraw();
    if (location.hash) restore(location.hash);
    // On paper stands a copy of the map on one canvas: canvases laid over one another print one over the other. For a moment
    // the page takes the rules of the sheet and the map the room that they leave it: so its names are as large from any screen.
    window.addEventListener("beforeprint", function () {
      const middle = map.getCenter(), zoom = map.getZoom(), seen = map.getBounds(), lines = layers.find((entry) => entry.id === "graticule");
      const { shown } = lines, { zoomSnap } = map.options, { retina } = L.Browser;
      const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => /print|screen/.test(rule.media?.mediaText)).map((rule) => [rule.media, rule.media.mediaText]);
      const scrolled = [...document.querySelectorAll("*")].filter((each) => each.scrollTop).map((each) => [each, each.scrollTop]);
      const draw = function (at) {
        map.invalidateSize({ animate: false, pan: false });
        map.setView(middle, at(), { reset: true, animate: false });
      };
      rules.forEach(([media, text]) => { media.mediaText = text.includes("print") ? "all" : "not all"; });
      document.body.style.width = "279mm";  // of A4, less its margins
      lines.shown = true;  // a sheet of paper has no pointer to read positions with
      map.options.zoomSnap = 0;
      L.Browser.retina = true;  // paper is finer than a screen
      draw(() => map.getBoundsZoom(seen));
      const { clientWidth: width, clientHeight: height } = box("stage"), paper = make("canvas", { id: "paper", width: 2 * width, height: 2 * height, role: "img", "aria-label": words.map }), ink = paper.getContext("2d");
      ink.scale(2, 2);
      paintMap(ink, 0, 0, width, height);
      ink.putImageData(ink.getImageData(0, 0, paper.width, paper.height), 0, 0);  // pixels: Chromium prints what was drawn anew, and too small
      rules.forEach(([media, text]) => { media.mediaText = text; });
      document.body.style.width = "";
      lines.shown = shown;
      map.options.zoomSnap = zoomSnap;
      L.Browser.retina = retina;
      draw(() => zoom);
      scrolled.forEach(([each, top]) => { each.scrollTop = top; });
      box("stage").append(paper);
    });
    window.addEventListener("afterprint", () => box("paper")?.remove());
    window.addEventListener("resize", function () { drawHistogram(); drawRows(); });
    // The map's box changes with what stands above and below it, not only with the window.
    new ResizeObserver(function () {
      const middle = map.getCenter(), size = map.getSize(), now = box("map_gapmap"), still = view() === home;
      if (size.x === now.clientWidth && size.y === now.clientHeight) return;
      map.invalidateSize({ animate: false, pan: false });
      if (still) goHome(); else map.setView(middle, map.getZoom(), { reset: true, animate: false });
    }).observe(box("stage"));

    return {
      state: state,
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
      visibleCount: visibleCount,
      listed: () => shownRows.map((i) => stretches[i].id),
      setFilter: function (change) {
        const next = { ...filters };
        for (const key of Object.keys(next)) if (key in change) next[key] = change[key];
        filters = next;
        const ofDates = "window" in change && Boolean(points);
        if (ofDates) takeSpan(change.window && change.window.map(dayOf));
        apply(ofDates);
      },
      query: function (ring) { const found = query(ring); return { incidents: found.incidents.length, by_kind: found.by_kind, places: found.places.map((i) => facts.places[i].id), gap_km2: found.gap_km2, area_km2: found.area_km2 }; },
      openArea: openArea,
      measure: measure,
      mgrs: GapGeodesy.mgrs,
      parsePoint: GapGeodesy.parsePoint,
      search: (text) => search(text).map(([, kind, i]) => (kind === "place" ? facts.places[i].id : stretches[i].id)),
      hash: hashOf,
      exported: (what) => ({ stretches_csv: csvStretches, incidents_csv: () => csvIncidents(points.all()), stretches_geojson: geojsonStretches, incidents_geojson: geojsonIncidents }[what]()),
      picture: () => picture().toDataURL("image/png"),
      incident: (i) => incident(i),
      labelBoxes: () => labelBoxes.map((each) => each.slice()),
      figureBoxes: () => gridBoxes.map((each) => each.slice()),
    };
  }

  let api = null, failed = "";
  const face = { get ready() { return api !== null; }, get failed() { return failed; } };
  ["state", "layers", "select", "widthAt", "project", "pixel", "visibleCount", "listed", "setFilter", "query", "openArea", "measure", "mgrs", "parsePoint", "search", "hash", "exported", "picture", "incident", "labelBoxes", "figureBoxes"]
    .forEach((name) => { face[name] = (...given) => api[name](...given); });
  window.gapmap = Object.freeze(face);
  (async function () {
    const facts = JSON.parse(block("gapmap-facts")), shapes = await unpack(block("gapmap-shapes"));
    const points = facts.points ? GapPoints.read(facts.points, await inflate(block("gapmap-points"))) : null;
    const notes = facts.points && facts.points.notes ? block("gapmap-notes").split("\n") : null;
    const ids = facts.points && facts.points.notes ? await unpack(block("gapmap-ids")) : null;
    api = main(facts, shapes, points, notes, ids, JSON.parse(block("gapmap-added")), window.map_gapmap);
  })().catch(function (error) {
    failed = String(error && error.stack || error);
    document.getElementById("headline").append(make("strong", { class: "warning", text: " " + words.failed }));
    console.error(failed);
  });
})();
