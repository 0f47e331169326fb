"""Tests of the pages in `sendgrid_assets/docs`."""
