# Every target does all of its own set-up: cluster/bootstrap.sh installs and builds what is missing.
.PHONY: help demo test soak up down status clean bench lint build
.DEFAULT_GOAL := help

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

demo: ## Rebuild a folder of demo documents, each in its own pod (SOURCE=folder takes yours)
	@cluster/bootstrap.sh demo

test: ## Run all tests, on the real parts
	@cluster/bootstrap.sh test

soak: ## Run the fault suite for hours: 1,000 seeds of the crash schedule, 10,000 files
	@cluster/bootstrap.sh soak

up: ## Start Kubernetes, Temporal, Redis, S3 and the worker (WAIT=1: CoreDNS and Helm too; PRISTINE_AUDIT=1)
	@cluster/bootstrap.sh up

down: ## Stop all of it; data is kept
	@cluster/bootstrap.sh down

status: ## Say what runs, and where
	@cluster/bootstrap.sh status

clean: ## Stop all of it and delete its data
	@cluster/bootstrap.sh clean

build: ## Build everything without starting it
	@cluster/bootstrap.sh build

bench: ## Measure throughput, latency and memory
	@cluster/bootstrap.sh bench

lint: ## Check types, style and layers
	@cluster/bootstrap.sh lint
