# The verbs. CMake does the work; see docs/architecture.md.
.PHONY: deps build run test bench install package clean

BUILD := build
PREFIX ?= /usr/local
CONFIG ?= config.yaml

deps:
	@scripts/install-dependencies.sh

build:
	@scripts/install-dependencies.sh build
	@cmake --preset release -DGOCOMET_TESTS=OFF >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log
	@cmake --build $(BUILD)

run: build
	@exec $(BUILD)/bin/gocomet-controlplane --config $(CONFIG)

test: deps
	@scripts/test.sh

bench: build
	@bench/run.sh
	@bench/threads.sh
	@bench/at_rest.py
	@bench/parser.sh
	@bench/control_plane.py

# DESTDIR=DIR lays everything down below DIR.
install: build
	@cmake --install $(BUILD) --prefix $(PREFIX) | grep -v Up-to-date

# A Debian package: build/gocomet_VERSION_ARCHITECTURE.deb
package: build
	@cd $(BUILD) && cpack -G DEB >package.log || { cat package.log; exit 1; }
	@ls $(BUILD)/gocomet_*.deb

clean:
	rm -rf build build-*
