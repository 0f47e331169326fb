"""Categories that mails carry, and their statistics."""

from __future__ import annotations

from .collection import DOCS, ObjectCollection
from .column import sent
from .metric import ALL
from .paging import ByOffset, Names
from .statistics import daily

CATEGORIES = ObjectCollection(
    table="categories",
    group="account",
    row="category that mails carry",
    path="/v3/categories",
    paging=ByOffset(limit=100, short_page_ends=False),
    wrapper=(),
    key=("category",),
    sent_columns=(sent("category", "VARCHAR", "The category."),),
    scopes=("categories.read",),
    docs=DOCS + "categories/retrieve-all-categories",
)

CATEGORY_STATS = daily(
    "category_stats",
    path="/v3/categories/stats",
    row="day and category",
    name="The category, `category` in `categories`.",
    names=Names(parent=CATEGORIES, member="category", parameter="categories"),
    counted=ALL,
    scopes=("categories.stats.read", "stats.read"),
    page="categories/retrieve-email-statistics-for-categories",
    note="SendGrid keeps them for thirteen months; here they stay.",
)
