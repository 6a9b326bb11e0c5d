# Everything runs in .venv, which is made on first use. Needs: Python 3.11 or later with venv and pip, and make.
PYTHON ?= python3
WORKERS ?= 2
QGIS_PYTHON ?= /usr/bin/python3
BIN := .venv/bin

.PHONY: demo test test-qgis bundle test-bundle lint bench clean

# The demo needs only what a user needs: nothing of the test extra.
demo: .venv/.installed
	$(BIN)/gapmap demo

test: lint
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --durations=15

# QGIS, through the system's Python (Debian: python3-qgis), opens the demo's result and two editions of it.
test-qgis: .venv/.installed-test
	$(BIN)/gapmap demo --quiet --out out/qgis
	$(BIN)/gapmap export out/qgis --edition public --format gpkg --out out/qgis --overwrite --quiet
	$(BIN)/gapmap export out/qgis --edition partner --force federal --format gpkg --out out/qgis --overwrite --quiet
	$(QGIS_PYTHON) scripts/check_qgis.py out/qgis/*.gpkg --picture out/qgis/qgis.png

# A zip that installs without a network, on Windows and Linux. Fetches some 600 MB.
bundle: .venv/.installed-test
	$(BIN)/python scripts/make_bundle.py

test-bundle: bundle
	$(BIN)/python scripts/check_bundle.py

lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_docstrings.py
	$(BIN)/nbstripout --verify notebooks/*.ipynb

bench: .venv/.installed-test .cache/leaflet/package
	$(BIN)/python -m benchmarks.bench_corridors
	$(BIN)/python benchmarks/bench_map.py
	$(BIN)/python benchmarks/bench_commands.py
	$(BIN)/python benchmarks/bench_query.py
	$(BIN)/python benchmarks/bench_read.py

# What folium's FastMarkerCluster, against which the map is timed, would fetch; no part of gapmap.
.cache/leaflet/package:
	mkdir -p $(@D)
	npm pack leaflet.markercluster@1.1.0 leaflet.awesome-markers@2.0.5 --silent --pack-destination $(@D)
	for archive in $(@D)/*.tgz; do tar -xzf $$archive -C $(@D); done

clean:
	rm -rf .venv out

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/.installed-test: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch .venv/.installed $@
