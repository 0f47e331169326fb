"""Tests of the insights: each number worked out by hand from small sets of events."""
