/* Geodesy on the WGS 84 ellipsoid: the working CRS, MGRS, points from text, lengths and areas. Holds no data.
   In: degrees or text. Out: metres, MGRS references, degrees. Method: EPSG 9820, Krueger's series, Vincenty's formula. */
const GapGeodesy = (function () {
  "use strict";

  const RAD = Math.PI / 180, A = 6378137, F = 1 / 298.257223563;

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
  function series(f) {
    const n = f / (2 - f);
    return {
      e: Math.sqrt(f * (2 - f)),
      radius: (a) => a / (1 + n) * (1 + n * n / 4 + n ** 4 / 64),
      alpha: [
        n / 2 - 2 * n ** 2 / 3 + 5 * n ** 3 / 16 + 41 * n ** 4 / 180,
        13 * n ** 2 / 48 - 3 * n ** 3 / 5 + 557 * n ** 4 / 1440,
        61 * n ** 3 / 240 - 103 * n ** 4 / 140,
        49561 * n ** 4 / 161280,
      ],
      beta: [
        n / 2 - 2 * n ** 2 / 3 + 37 * n ** 3 / 96 - n ** 4 / 360,
        n ** 2 / 48 + n ** 3 / 15 - 437 * n ** 4 / 1440,
        17 * n ** 3 / 480 - 37 * n ** 4 / 840,
        4397 * n ** 4 / 161280,
      ],
    };
  }
  function tmerc(crs) {
    const { e, radius, alpha } = series(crs.f), scale = crs.k0 * radius(crs.a);
    function plane(lat, away) {
      const sin = Math.sin(lat), t = Math.sinh(Math.atanh(sin) - e * Math.atanh(e * sin));
      const xi = Math.atan2(t, Math.cos(away)), eta = Math.asinh(Math.sin(away) / Math.hypot(t, Math.cos(away)));
      let x = eta, y = xi;
      alpha.forEach(function (a, i) {
        const k = 2 * (i + 1);
        x += a * Math.cos(k * xi) * Math.sinh(k * eta);
        y += a * Math.sin(k * xi) * Math.cosh(k * eta);
      });
      return [scale * x, scale * y];
    }
    const origin = plane(crs.lat0 * RAD, 0)[1];
    return function (lat, lon) {
      const at = plane(lat * RAD, (lon - crs.lon0) * RAD);
      return [crs.x0 + at[0], crs.y0 + at[1] - origin];
    };
  }
  // Back from UTM to degrees; latitude from its conformal counterpart by iteration.
  function fromUtm(zone, south, easting, northing) {
    const { e, radius, beta } = series(F), scale = 0.9996 * radius(A);
    const xi0 = (northing - (south ? 1e7 : 0)) / scale, eta0 = (easting - 500000) / scale;
    let xi = xi0, eta = eta0;
    beta.forEach(function (b, i) {
      const k = 2 * (i + 1);
      xi -= b * Math.sin(k * xi0) * Math.cosh(k * eta0);
      eta -= b * Math.cos(k * xi0) * Math.sinh(k * eta0);
    });
    const conformal = Math.atanh(Math.sin(xi) / Math.cosh(eta));
    let sin = Math.tanh(conformal);
    for (let i = 0; i < 8; i++) sin = Math.tanh(conformal + e * Math.atanh(e * sin));
    return [Math.asin(sin) / RAD, 6 * zone - 183 + Math.atan2(Math.sinh(eta), Math.cos(xi)) / RAD];
  }

  const BANDS = "CDEFGHJKLMNPQRSTUVWX", ROWS = "ABCDEFGHJKLMNPQRSTUV", COLUMNS = ["ABCDEFGH", "JKLMNPQR", "STUVWXYZ"];
  const utm = (zone, south) => tmerc({ a: A, f: F, lat0: 0, lon0: 6 * zone - 183, k0: 0.9996, x0: 500000, y0: south ? 1e7 : 0 });
  function zoneOf(lat, lon) {
    if (lat >= 56 && lat < 64 && lon >= 3 && lon < 12) return 32;  // south-west Norway
    if (lat >= 72 && lon >= 0 && lon < 42) return lon < 9 ? 31 : lon < 21 ? 33 : lon < 33 ? 35 : 37;  // Svalbard
    return Math.min(60, Math.floor((lon + 180) / 6) + 1);
  }
  // An MGRS reference to the metre, "" near the poles.
  function mgrs(lat, lon) {
    if (!(lat >= -80 && lat <= 84)) return "";
    lon = ((lon + 180) % 360 + 360) % 360 - 180;
    const zone = zoneOf(lat, lon), [x, y] = utm(zone, lat < 0)(lat, lon);
    // A hair is added, for a point on a line of metres that rounding put just below it.
    const easting = Math.floor(x + 1e-6), northing = Math.floor(y + 1e-6);
    const square = COLUMNS[(zone - 1) % 3][Math.floor(easting / 1e5) - 1] + ROWS[(Math.floor(northing / 1e5) + (zone % 2 ? 0 : 5)) % 20];
    const five = (n) => String(n % 1e5).padStart(5, "0");
    return zone + BANDS[Math.min(19, Math.floor((lat + 80) / 8))] + " " + square + " " + five(easting) + " " + five(northing);
  }
  // The middle of the square that an MGRS reference names, null where it names none.
  function fromMgrs(text) {
    const part = /^(\d{1,2}) ?([C-HJ-NP-X]) ?([A-HJ-NP-Z])([A-HJ-NP-V]) ?(\d{1,5}) ?(\d{1,5})$/.exec(text);
    if (!part) return null;
    const digits = part[5] + part[6], half = digits.length / 2;
    // Written in two, the two must be as long as one another.
    if (half % 1 || part[5].length !== half && /\d \d+$/.test(text)) return null;
    const zone = Number(part[1]), column = COLUMNS[(zone - 1) % 3]?.indexOf(part[3]), row = ROWS.indexOf(part[4]);
    if (zone < 1 || zone > 60 || column < 0) return null;
    const band = BANDS.indexOf(part[2]), south = band < 10, side = 10 ** (5 - half);
    const easting = (column + 1) * 1e5 + Number(digits.slice(0, half)) * side + side / 2;
    const within = ((row - (zone % 2 ? 0 : 5) + 20) % 20) * 1e5 + Number(digits.slice(half)) * side + side / 2;
    // Rows repeat every 2 000 km: take the one whose latitude lies in the band.
    for (let northing = within; northing < 1e7; northing += 2e6) {
      const at = fromUtm(zone, south, easting, northing), low = -80 + 8 * band;
      if (at[0] > low - 1 && at[0] < (band === 19 ? 84 : low + 8) + 1) return at;
    }
    return null;
  }

  const latinDigits = (text) => text.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (c) => String(c.charCodeAt(0) & 15)).replace(/\u066b/g, ".").replace(/\u060c/g, ",");
  // Half of a point in degrees, with the axis its letter names; the same pattern as in points.py.
  const ANGLE = /^([NSEW])? ?([+-]?)(\d+(?:\.\d+)?)(?: ?° ?| |$|(?=[NSEW]))(?:(\d+(?:\.\d+)?)(?: ?' ?| |$|(?=[NSEW])))?(?:(\d+(?:\.\d+)?) ?"? ?)?([NSEW])?$/;
  function angle(half) {
    const [, before, sign, d, m = "", s = "", after] = ANGLE.exec(half.trim().replace(/(\d),(?=\d)/g, "$1.")) || [], letter = before || after || "";
    if (!d || before && after || letter && sign || m && d.includes(".") || s && (!m || m.includes(".")) || m >= 60 || s >= 60) return null;
    const size = Number(d) + m / 60 + s / 3600;
    return [sign === "-" || "SW".includes(letter || "-") ? -size : size, letter && ("NS".includes(letter) ? "lat" : "lon")];
  }
  // At the one semicolon or comma, else by the letters, else at the one blank.
  function halves(text) {
    for (const mark of [";", ","]) {
      const parts = text.split(mark);
      // Such a comma may be a decimal mark or part the two: nobody can say.
      if (mark === "," && /^([+-]?\d+,\d+ [+-]?\d+(\.\d+)?|[+-]?\d+(\.\d+)? [+-]?\d+,\d+)$/.test(text)) return [];
      if (parts.length === 2) return parts;
    }
    const letters = [...text.matchAll(/[NSEW]/g)].map((each) => each.index), cut = letters[0] === 0 ? letters[1] : letters[0] + 1;
    if (letters.length === 2) return [text.slice(0, cut), text.slice(cut)];
    return letters.length ? [] : text.split(" ");
  }
  // A point as `parse_point` in points.py reads it, latitude first unless letters say else; null for what it refuses.
  function parsePoint(text) {
    let clean = latinDigits(text).replace(/[\u066c\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, "").replace(/\u061b/g, ";").replace(/\u2212/g, "-")
      .replace(/[\u2032\u2019\u2018\u02b9]/g, "'").replace(/[\u2033\u201c\u201d\u02ba]|''/g, '"').replace(/\u00ba/g, "°").toUpperCase().trim().replace(/\s+/g, " ");
    clean = clean.replace(/^MGRS/, "").replace(/^[ :()]+|[ :()]+$/g, "");
    const grid = fromMgrs(clean), [a, b, more] = grid ? [] : halves(clean).map(angle);
    if (!a || !b || more !== undefined || (a[1] && b[1] ? a[1] === b[1] : a[1] !== b[1])) return grid;
    const [lat, lon] = a[1] === "lon" ? [b[0], a[0]] : [a[0], b[0]];
    return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lat, lon] : null;
  }

  // Length of the geodesic in metres, by Vincenty's inverse formula.
  function distance(a, b) {
    const u1 = Math.atan((1 - F) * Math.tan(a[0] * RAD)), u2 = Math.atan((1 - F) * Math.tan(b[0] * RAD)), l = (b[1] - a[1]) * RAD;
    const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
    let lambda = l, sigma = 0, sinS = 0, cosS = 1, cos2a = 1, cosM = 0;
    for (let i = 0; i < 100; i++) {
      const sin = Math.sin(lambda), cos = Math.cos(lambda);
      sinS = Math.hypot(c2 * sin, c1 * s2 - s1 * c2 * cos);
      if (sinS === 0) return 0;
      cosS = s1 * s2 + c1 * c2 * cos;
      sigma = Math.atan2(sinS, cosS);
      const sinA = c1 * c2 * sin / sinS;
      cos2a = 1 - sinA * sinA;
      cosM = cos2a ? cosS - 2 * s1 * s2 / cos2a : 0;
      const c = F / 16 * cos2a * (4 + F * (4 - 3 * cos2a)), before = lambda;
      lambda = l + (1 - c) * F * sinA * (sigma + c * sinS * (cosM + c * cosS * (2 * cosM * cosM - 1)));
      if (Math.abs(lambda - before) < 1e-12) break;
    }
    const k2 = cos2a * (1 / (1 - F) ** 2 - 1), big = 1 + k2 / 16384 * (4096 + k2 * (k2 * (320 - 175 * k2) - 768)), small = k2 / 1024 * (256 + k2 * (k2 * (74 - 47 * k2) - 128));
    const ds = small * sinS * (cosM + small / 4 * (cosS * (2 * cosM * cosM - 1) - small / 6 * cosM * (4 * sinS * sinS - 3) * (4 * cosM * cosM - 3)));
    return A * (1 - F) * big * (sigma - ds);
  }
  const lengthOf = (line) => line.reduce((sum, at, i) => (i ? sum + distance(line[i - 1], at) : 0), 0);
  // Area in square metres: in an equal-area projection around the ring, where straight lines are nearly geodesics.
  function areaOf(ring) {
    const mean = (k) => ring.reduce((sum, at) => sum + at[k], 0) / ring.length;
    const project = laea({ a: A, f: F, lat0: mean(0), lon0: mean(1), x0: 0, y0: 0 }), xy = ring.map((at) => project(at[0], at[1]));
    return Math.abs(xy.reduce(function (sum, at, i) { const next = xy[(i + 1) % xy.length]; return sum + at[0] * next[1] - next[0] * at[1]; }, 0) / 2);
  }

  return Object.freeze({ laea: laea, tmerc: tmerc, mgrs: mgrs, fromMgrs: fromMgrs, parsePoint: parsePoint, lengthOf: lengthOf, areaOf: areaOf, latinDigits: latinDigits });
})();
