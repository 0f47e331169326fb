"""What Dagster loads: all sources that the environment names. Nothing else belongs here."""

import dagster as dg

from sendgrid_assets.defs.build import build_definitions

defs = build_definitions(executor=dg.in_process_executor)
