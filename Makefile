# Thin names for the scripts; what they do and which settings they take stands in each script's head.

.DEFAULT_GOAL := help
.PHONY: help setup build run run-postgres demo test test-hypervisors test-kvm test-xen bench lint fmt clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing on this machine (Debian packages, Node)
	@scripts/setup build run
	@scripts/node-env node --version

build: ## build the web interface and the release programs
	@scripts/setup build
	@scripts/build

run: ## set up, build, start libvirt if needed, serve in the foreground
	@scripts/run

run-postgres: ## three servers on one PostgreSQL database, which it brings up itself
	@scripts/run-postgres

demo: ## as make run, and a small VM made from examples/origin/vm.sls
	@scripts/demo

test: ## all checks and tests, on a real libvirt host and in a browser
	@scripts/test

test-hypervisors: ## the same steps on QEMU, KVM and Xen hosts, and over all of them at once
	@scripts/test-hypervisors

test-kvm: ## these steps on an emulated KVM host
	@scripts/test-hypervisors kvm

test-xen: ## these steps on an emulated Xen host
	@scripts/test-hypervisors xen

bench: ## the figures of README's section "Measured", with the release programs
	@scripts/bench

lint: ## the checks that take no test: formats, shellcheck, clippy, types, layers, licences
	@scripts/test setup format scripts licences web_check clippy tidy

fmt: ## format all sources
	cargo fmt --all
	scripts/npm-install web
	scripts/node-env npm --prefix web run --silent format

clean: ## remove what was built; downloads and the server's data stay
	cargo clean
	rm -rf web/dist web/node_modules e2e/node_modules
