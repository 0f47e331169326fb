"""Tests of `sendgrid_assets.simulator`, over real HTTP on loopback."""
