/* Many incidents on a canvas. Holds no data.
   In: the bytes that gapmap.maps.points packed. Out: columns, filters, counts, an image. Method: positions in Morton order
   come in blocks with tight boxes, so that what is out of view is skipped; filters are bits in one byte a point. */
const GapPoints = (function () {
  "use strict";

  const BLOCK = 512, SHOWN = 3, CELL = 2;  // SHOWN: passes the other filters (1) and the date window (2)

  function planes(bytes, at, count, width) {
    const out = width === 1 ? new Uint8Array(count) : width === 2 ? new Uint16Array(count) : new Uint32Array(count);
    for (let plane = 0; plane < width; plane++) {
      const from = at + plane * count, shift = 8 * plane;
      for (let i = 0; i < count; i++) out[i] |= bytes[from + i] << shift;
    }
    return out;
  }
  // Every second bit of the low twenty.
  function half(v) {
    v &= 0x55555;
    v = (v | v >> 1) & 0x33333;
    v = (v | v >> 2) & 0xf0f0f;
    v = (v | v >> 4) & 0xf00ff;
    return (v | v >> 8) & 0x3ff;
  }

  function read(meta, bytes) {
    const n = meta.count, x = new Float64Array(n), y = new Float64Array(n), column = {};
    const cell = meta.size / 1048576;
    let high = 0, low = 0;
    for (let i = 0; i < n; i++) {  // five bytes a difference, plane by plane; 40 bits kept as twice twenty
      const b2 = bytes[2 * n + i];
      low += bytes[i] | bytes[n + i] << 8 | (b2 & 15) << 16;
      high += (b2 >> 4 | bytes[3 * n + i] << 4 | bytes[4 * n + i] << 12) + (low >> 20);
      low &= 0xfffff;
      x[i] = meta.x + ((half(high) << 10 | half(low)) + 0.5) * cell;
      y[i] = meta.y + ((half(high >> 1) << 10 | half(low >> 1)) + 0.5) * cell;
    }
    let at = 5 * n;
    meta.columns.forEach(function ([name, width]) {
      column[name] = width ? planes(bytes, at, n, width) : new Uint8Array(n);
      at += n * width;
    });
    const blocks = Math.ceil(n / BLOCK), box = new Float64Array(4 * blocks);
    for (let b = 0; b < blocks; b++) {
      let west = 2, north = 2, east = -2, south = -2;
      for (let i = b * BLOCK, end = Math.min(n, i + BLOCK); i < end; i++) {
        if (x[i] < west) west = x[i];
        if (x[i] > east) east = x[i];
        if (y[i] < north) north = y[i];
        if (y[i] > south) south = y[i];
      }
      box.set([west, north, east, south], 4 * b);
    }
    const bits = new Uint8Array(n).fill(SHOWN);
    let shown = n;

    // Which points pass all filters but the dates; kinds: a flag a kind; stretches: a flag a stretch, or null for anywhere.
    function filter(kinds, deaths, civilians, stretches) {
      const { kind, best, civilian, stretch } = column, where = stretches && [0, ...stretches];
      shown = 0;
      for (let i = 0; i < n; i++) {
        const pass = kinds[kind[i]] && (deaths === 0 || best[i] > deaths) && (!civilians || civilian[i] === 2) && (!where || where[stretch[i]]);
        const now = bits[i] & 2 | (pass ? 1 : 0);
        bits[i] = now;
        shown += now & now >> 1;
      }
    }
    // Days from the first, both included; null for all, those without a date too. A span of dates passes where it meets the window.
    function dates(window) {
      const { day, days } = column, [from, to] = window || [0, 0x3fffffff], undated = window ? 0 : 2;
      shown = 0;
      for (let i = 0; i < n; i++) {
        const first = day[i] - 1, now = bits[i] & 1 | (first < 0 ? undated : first <= to && first + days[i] >= from ? 2 : 0);
        bits[i] = now;
        shown += now & now >> 1;
      }
    }
    // Shown points by kind and by stretch (0: in none), and by bin of days whatever the window is. In one pass without
    // branches: with a million points, in no order that a processor could guess, each branch costs as much as the rest.
    function tally(kinds, stretches, bins, binDays) {
      const byKind = new Uint32Array(kinds), byStretch = new Uint32Array(stretches + 1), byDay = new Uint32Array(bins + 1), { kind, stretch, day } = column;
      const binOf = Uint16Array.from({ length: bins * binDays + 1 }, (_, d) => (d ? Math.floor((d - 1) / binDays) : bins));
      for (let i = 0; i < n; i++) {
        const pass = bits[i], both = pass & pass >> 1;
        byKind[kind[i]] += both;
        byStretch[stretch[i]] += both;
        byDay[binOf[day[i]]] += pass & 1;
      }
      return { byKind: byKind, byStretch: byStretch, byDay: byDay.subarray(0, bins) };
    }
    function eachIn(west, north, east, south, visit) {
      for (let b = 0; b < blocks; b++) {
        const o = 4 * b;
        if (box[o] > east || box[o + 2] < west || box[o + 1] > south || box[o + 3] < north) continue;
        for (let i = b * BLOCK, end = Math.min(n, i + BLOCK); i < end; i++) {
          if (bits[i] === SHOWN && x[i] >= west && x[i] <= east && y[i] >= north && y[i] <= south) visit(i);
        }
      }
    }
    function countIn(west, north, east, south, enough) {
      let total = 0;
      for (let b = 0; b < blocks && total <= enough; b++) {
        const o = 4 * b;
        if (box[o] > east || box[o + 2] < west || box[o + 1] > south || box[o + 3] < north) continue;
        for (let i = b * BLOCK, end = Math.min(n, i + BLOCK); i < end; i++) {
          if (bits[i] === SHOWN && x[i] >= west && x[i] <= east && y[i] >= north && y[i] <= south) total++;
        }
      }
      return total;
    }
    // An image of counts by cell of 2 x 2 pixels, dark where there are many, on a scale of logarithms.
    let image = null;
    function density(ink, view, width, height) {
      const w = Math.ceil(width / CELL), h = Math.ceil(height / CELL), counts = new Uint32Array(w * h), scale = view.scale / CELL;
      const left = view.left / CELL, top = view.top / CELL;
      let most = 1;
      for (let b = 0; b < blocks; b++) {
        const o = 4 * b;
        if (box[o] * scale > left + w || box[o + 2] * scale < left || box[o + 1] * scale > top + h || box[o + 3] * scale < top) continue;
        for (let i = b * BLOCK, end = Math.min(n, i + BLOCK); i < end; i++) {
          if (bits[i] !== SHOWN) continue;
          const px = Math.floor(x[i] * scale - left), py = Math.floor(y[i] * scale - top);
          if (px >= 0 && py >= 0 && px < w && py < h && ++counts[py * w + px] > most) most = counts[py * w + px];
        }
      }
      image = image || document.createElement("canvas");
      image.width = w;
      image.height = h;
      const data = new ImageData(w, h), pixels = new Uint32Array(data.data.buffer), top1 = Math.log(most + 1), shades = [];
      for (let k = 0; k < 256; k++) {  // from violet to near black, ever less transparent; bytes stand as A B G R
        const s = k / 255;
        shades.push((Math.round(130 + 115 * s) << 24 | Math.round(120 - 85 * s) << 16 | Math.round(30 - 22 * s) << 8 | Math.round(75 - 55 * s)) >>> 0);
      }
      for (let i = 0; i < counts.length; i++) if (counts[i]) pixels[i] = shades[Math.round(255 * Math.log(counts[i] + 1) / top1)];
      const own = image.getContext("2d");
      own.putImageData(data, 0, 0);
      ink.imageSmoothingEnabled = false;
      ink.drawImage(image, 0, 0, w, h, 0, 0, w * CELL, h * CELL);
    }
    function nearest(px, py, reach) {
      let best = -1, least = reach * reach;
      eachIn(px - reach, py - reach, px + reach, py + reach, function (i) {
        const d = (x[i] - px) ** 2 + (y[i] - py) ** 2;
        if (d <= least) { best = i; least = d; }
      });
      return best;
    }
    function query(ring) {
      const found = [], xs = ring.map((p) => p[0]), ys = ring.map((p) => p[1]);
      eachIn(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), function (i) {
        let odd = false;
        for (let a = 0, b = xs.length - 1; a < xs.length; b = a++) {
          if ((ys[a] > y[i]) !== (ys[b] > y[i]) && x[i] < (xs[b] - xs[a]) * (y[i] - ys[a]) / (ys[b] - ys[a]) + xs[a]) odd = !odd;
        }
        if (odd) found.push(i);
      });
      return found;
    }
    function all() {
      const found = [];
      for (let i = 0; i < n; i++) if (bits[i] === SHOWN) found.push(i);
      return found;
    }
    return { count: n, x: x, y: y, column: column, shown: () => shown, filter: filter, dates: dates, tally: tally, eachIn: eachIn, countIn: countIn, density: density, nearest: nearest, query: query, all: all };
  }

  return Object.freeze({ read: read });
})();
