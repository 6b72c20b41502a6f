# Flotta: `make help` says what there is to do.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build-arm64 test-arm64 test-package image run package test test-kubernetes bench soak build format clean setup

help: ## what can be made
	@awk 'BEGIN {FS = ":.*## "; print "make TARGET, where TARGET is one of:\n"} /^[a-z0-9-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nSettings for run: FLOTTA_HOME (state, default ./.flotta), FLOTTA_KUBE_PORT, FLOTTA_EDGE_PORT, FLOTTA_METRICS_PORT, FLOTTA_HELLO_PORT.\n'

run: ## control plane, this machine as an edge device, and a real container on it; stays until Ctrl-C, keeps its state
	@exec scripts/run.sh

build: ## out/flotta (the control plane, one program), out/flotta-agent (the device) and out/flotta-fleet (a simulated fleet)
	@scripts/build.sh

build-arm64: ## out/arm64/flotta-agent, the device program for 64-bit ARM, built on any machine
	@scripts/setup.sh build arm64
	@scripts/build.sh --arm64

test-arm64: build-arm64 ## that program under qemu: help, plan, and an enrolment with the real control plane
	@scripts/setup.sh device
	@scripts/build.sh
	@scripts/test-arm64.sh

image: ## the container images of control plane and agent, localhost/flotta:latest and localhost/flotta-agent:latest, with podman
	@scripts/setup.sh build device
	@scripts/build.sh
	@scripts/image.sh control-plane
	@scripts/image.sh agent

test: ## everything but the real-cluster tests; does all its own set-up
	@scripts/setup.sh build device test
	@scripts/build.sh
	@scripts/test.sh Flotta.Tests Flotta.EndToEnd

test-kubernetes: ## the same Operator and Edge API on a real kube-apiserver (KUBEBUILDER_ASSETS)
	@scripts/setup.sh build device test
	@scripts/build.sh
	@scripts/test.sh Flotta.KubernetesTests

bench: ## measures what the documentation claims; results go to bench/results
	@scripts/setup.sh build device test
	@scripts/build.sh
	@bench/run.sh

soak: ## the long runs: fault storms with real processes, nonsense for every parser
	@scripts/setup.sh build device test
	@scripts/build.sh
	@FLOTTA_SOAK=1 scripts/test.sh Flotta.Tests Flotta.EndToEnd Flotta.KubernetesTests

package: ## a .deb and an .rpm of the agent, and the container images of both programs as archives, in out/
	@scripts/setup.sh build package device
	@scripts/build.sh
	@scripts/package.sh
	@scripts/image.sh control-plane localhost/flotta:latest out/flotta.oci.tar
	@scripts/image.sh agent localhost/flotta-agent:latest out/flotta-agent.oci.tar

test-package: package ## that .deb in a fresh Debian: installed, updated, purged
	@scripts/setup.sh package
	@scripts/test-package.sh

setup: ## only install what build, run and test need from Debian's packages
	@scripts/setup.sh build device test

format: ## bring the code into the house's form
	@dotnet format Flotta.slnx

clean: ## remove what was built (the state of `make run` stays: it is in .flotta)
	@rm -rf out; find src test bench -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
