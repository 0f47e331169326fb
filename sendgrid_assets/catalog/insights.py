"""The insights, in the order in which their views are made.

Belongs here: all of them together. Does not: the entries (one module a kind of question).
"""

from __future__ import annotations

from .insights_causes import CAUSES
from .insights_performance import PERFORMANCE
from .insights_recipients import RECIPIENTS

INSIGHTS = (*PERFORMANCE, *CAUSES, *RECIPIENTS)
"""Every insight; a view reads only tables and views before it."""
