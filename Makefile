# The front door. The work is cargo's, and that of the scripts named here. `make help` lists the targets.

PREFIX ?= /usr
SYSCONFDIR ?= /etc
DESTDIR ?=
LIBDIR ?= $(PREFIX)/lib/$(shell $(CC) -print-multiarch)

target := $(abspath $(or $(CARGO_TARGET_DIR),target))
modules := $(target)/modules
stage := $(target)/stage
daemons := machined machined-enter resolved resolvconf
programs := switchyard-lookaside switchyard-oci-hook
services := mymachines resolve
library := $(target)/library
libraries := libsd-bus-compat.so.0 libsystemd.so.0
headers := include/systemd
version := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
skipped := $(target)/skipped
nextest := $(shell command -v cargo-nextest)
# What stands in every process: the bytes of a bus, and of the map of known answers.
hostile := dbus_address dbus_authentication dbus_match_rule dbus_message dbus_reply dbus_signature lookaside_reader
tools := $(target)/tools/bin
deny := $(or $(shell command -v cargo-deny),$(wildcard $(tools)/cargo-deny),$(if $(CI),$(tools)/cargo-deny))

# It is not installed for being asked whether it is there.
nightly := $(shell RUSTUP_AUTO_INSTALL=0 rustc +nightly --version 2>/dev/null)

.PHONY: all build install uninstall stage demo shell test lint unit integration hostile fuzz soak torture tsan asan no-nightly bench clean help

all: build

build: ## the daemons, and the modules linked as they are installed
	cargo build --release --locked -p lookaside-stat -p machined -p machined-enter -p oci-hook -p resolved -p resolvconf --bins
	mkdir -p $(modules)
	set -e; for name in $(services); do \
		cargo build --profile module --locked -p nss-$$name; \
		object=libnss_$$name.so.2 map=nss-$$name/libnss_$$name.map; \
		dist/link-module.sh $(target)/module/libnss_$$name.a $$object $$map $(modules)/$$object; \
		dist/check-object.sh $(modules)/$$object $$map; \
	done
	cargo rustc --profile library --locked -p libsd-bus-compat --crate-type staticlib
	set -e; for object in $(libraries) libsd-bus-compat.a; do \
		dist/link-library.sh $(library)/libsd_bus_compat.a $$object $(library)/$$object; \
		case $$object in *.so.*) LIMIT=2000000 STD=1 dist/check-object.sh $(library)/$$object $(library)/$$object.map ;; esac; \
	done

install: build ## all of it below DESTDIR, for PREFIX (/usr)
	DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR) dist/install.sh
	install -Dm755 -t $(DESTDIR)$(PREFIX)/libexec/switchyard $(daemons:%=$(target)/release/%)
	install -Dm755 -t $(DESTDIR)$(PREFIX)/bin $(programs:%=$(target)/release/%)
	install -Dm644 -t $(DESTDIR)$(LIBDIR) $(services:%=$(modules)/libnss_%.so.2)
	install -Dm644 -t $(DESTDIR)$(LIBDIR) $(library)/libsd-bus-compat.so.0 $(library)/libsd-bus-compat.a
	ln -sf libsd-bus-compat.so.0 $(DESTDIR)$(LIBDIR)/libsd-bus-compat.so
	install -Dm644 -t $(DESTDIR)$(PREFIX)/lib/switchyard/compat $(library)/libsystemd.so.0
	install -Dm644 -t $(DESTDIR)$(PREFIX)/include/switchyard/systemd $(headers)/*.h
	mkdir -p $(DESTDIR)$(LIBDIR)/pkgconfig
	sed 's|@prefix@|$(PREFIX)|; s|@libdir@|$(LIBDIR)|; s|@version@|$(version)|' dist/libsd-bus-compat.pc \
		>$(DESTDIR)$(LIBDIR)/pkgconfig/libsd-bus-compat.pc

uninstall: ## takes away what install laid out; take mymachines and resolve out of nsswitch.conf first
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/libexec/switchyard/,$(daemons)) $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(programs))
	rm -f $(services:%=$(DESTDIR)$(LIBDIR)/libnss_%.so.2)
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libsd-bus-compat.so.0 libsd-bus-compat.so libsd-bus-compat.a pkgconfig/libsd-bus-compat.pc)
	rm -f $(DESTDIR)$(PREFIX)/lib/switchyard/compat/libsystemd.so.0
	rm -f $(patsubst include/%,$(DESTDIR)$(PREFIX)/include/switchyard/%,$(wildcard $(headers)/*.h))
	-rmdir $(addprefix $(DESTDIR)$(PREFIX)/,lib/switchyard/compat lib/switchyard include/switchyard/systemd include/switchyard) 2>/dev/null
	DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR) dist/install.sh --remove

stage: ## what the tests and the demo run: an install in the target directory
	rm -rf $(stage).new
	$(MAKE) --no-print-directory install DESTDIR=$(stage).new PREFIX=/usr
	rm -rf $(stage) && mv $(stage).new $(stage)

demo: stage ## two containers, found by name, in a sandbox; changes nothing on the machine
	cargo build --quiet --locked -p support
	SWITCHYARD_STAGE=$(stage) $(CURDIR)/tests/demo.sh $(target)/debug/sandbox

shell: stage ## a shell in the sandbox of the demo
	cargo build --quiet --locked -p support
	SWITCHYARD_STAGE=$(stage) $(CURDIR)/tests/demo.sh $(target)/debug/sandbox bash --norc

test: lint unit integration hostile torture $(if $(nightly),tsan asan,no-nightly) ## everything; what CI runs

lint: $(deny) ## format, clippy; licences and sources of the dependencies where cargo-deny is at hand, and in CI
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(if $(deny),$(deny) --workspace --locked check bans licenses sources,@echo 'lint: no cargo-deny; CI builds it')

$(tools)/cargo-deny:
	cargo install --quiet --locked --no-default-features --root $(@D)/.. cargo-deny

unit: ## the tests of each crate
	$(if $(nextest),cargo nextest run --no-tests=pass,cargo test) --workspace --exclude switchyard-tests --locked
	cargo test --doc --workspace --locked

integration: stage ## the suite as a whole, each test in a sandbox of its own
	tests/peers/fetch.sh >/dev/null
	tests/peers/trixie/fetch.sh >/dev/null || true # tests say by themselves that it is missing
	cargo build --quiet --locked -p support
	rm -f $(skipped)
	SWITCHYARD_STAGE=$(stage) SWITCHYARD_SKIPPED=$(skipped) $(if $(nextest),cargo nextest run,cargo test) -p switchyard-tests --locked
	@test ! -e $(skipped) || sort $(skipped)

hostile: ## every parser by cargo-fuzz, 5 s each; a minute for what every process is sent
	fuzz/run.sh $(hostile)

fuzz: ## every parser by cargo-fuzz, SECONDS (60) each, under SANITIZER (address); with a nightly compiler, if that is not none
	SHORT=$(or $(SECONDS),60) SANITIZER=$(or $(SANITIZER),address) fuzz/run.sh

soak: stage ## ten million damaged packets on the stub of resolved, and a day of mixed load in 12 minutes
	tests/peers/fetch.sh >/dev/null
	SWITCHYARD_STAGE=$(stage) SWITCHYARD_SOAK_PACKETS=10000000 SWITCHYARD_SOAK_DAY=720 SWITCHYARD_SOAK_TIMEOUT=3600 \
		cargo test -p switchyard-tests --locked --test resolved_soak -- --test-threads=1 --nocapture

torture: ## writer and readers of the lookaside map for a minute, as processes and as threads
	LOOKASIDE_TORTURE=$(or $(LOOKASIDE_TORTURE),60) cargo test -p lookaside --locked --test torture -- --nocapture

tsan: ## the same threads under ThreadSanitizer, with a nightly compiler
	LOOKASIDE_TORTURE=$(or $(LOOKASIDE_TORTURE),60) crates/lookaside/tests/tsan.sh

asan: stage ## the C library and its C probes under AddressSanitizer, with a nightly compiler
	tests/peers/fetch.sh >/dev/null
	cargo build --quiet --locked -p support
	SWITCHYARD_STAGE=$(stage) libsd-bus-compat/tests/asan.sh

no-nightly:
	@echo 'skipped: ThreadSanitizer and AddressSanitizer: there is no nightly compiler'

bench: stage ## the numbers, beside systemd's
	cargo bench --locked -p dbus --bench dbus_message
	SWITCHYARD_STAGE=$(stage) cargo bench --locked -p switchyard-tests

clean: ## what was built and fetched
	cargo clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 14
