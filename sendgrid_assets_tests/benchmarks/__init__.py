"""How fast we are, beside what is possible and what others do: `python -m sendgrid_assets_tests.benchmarks`.

Belongs here: each benchmark, its peers and limits, and the frame that runs and reports them. Does not: tests that
fail when a machine is slow. A new benchmark is a module with a `Benchmark` that stands in `register`.
"""
