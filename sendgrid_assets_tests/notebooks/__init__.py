"""Tests of the notebooks: run as their users run them, on a published file, and looked at as pages."""
