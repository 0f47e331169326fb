"""Templates of transactional mail, legacy and dynamic, and their versions."""

from __future__ import annotations

from .collection import DOCS, ObjectCollection
from .column import sent
from .paging import ByToken
from .reading import Details

_PATH = "/v3/templates"
_PAGING = ByToken(page_size=200)
_PAGES = DOCS + "transactional-templates/"
# Unasked, only the legacy ones come.
_PARAMS = {"generations": "legacy,dynamic"}
_ID = sent("id", "VARCHAR", "The template's id; a dynamic one's begins with `d-`.")
_DETAILS = (
    sent("html_content", "VARCHAR", "The mail's HTML."),
    sent("plain_content", "VARCHAR", "The mail's plain text."),
    sent("test_data", "VARCHAR", "Sample values for the template, JSON as text."),
    sent("warnings", "JSON", "Array of {message}: what SendGrid finds amiss with it."),
)

TEMPLATES = ObjectCollection(
    table="templates",
    group="account",
    row="template",
    path=_PATH,
    paging=_PAGING,
    wrapper=("result",),
    key=("id",),
    sent_columns=(
        _ID,
        sent("name", "VARCHAR", "The template's name."),
        sent("generation", "VARCHAR", "`legacy` or `dynamic`."),
        sent("updated_at", "TIMESTAMP", "When it was last changed (UTC)."),
    ),
    scopes=("templates.read",),
    docs=_PAGES + "retrieve-paged-transactional-templates",
    params=_PARAMS,
    # They are the rows of `template_versions`.
    ignored=("_metadata", "versions"),
)

TEMPLATE_VERSIONS = ObjectCollection(
    table="template_versions",
    group="account",
    row="version of a template",
    path=_PATH,
    paging=_PAGING,
    wrapper=("result",),
    key=("template_id", "id"),
    sent_columns=(
        sent("template_id", "VARCHAR", "The template, `id` in `templates`."),
        sent("id", "VARCHAR", "The version's id, a UUID."),
        sent("user_id", "VARCHAR", "The user it belongs to."),
        sent("active", "BOOLEAN", "Whether it is the version that mails are made from."),
        sent("name", "VARCHAR", "The version's name."),
        sent("subject", "VARCHAR", "The mail's subject."),
        sent("editor", "VARCHAR", "`code` or `design`."),
        sent("generate_plain_content", "BOOLEAN", "Whether the plain text is made from the HTML."),
        sent("thumbnail_url", "VARCHAR", "Address of a small picture of it."),
        sent("updated_at", "TIMESTAMP", "When it was last changed (UTC)."),
        *_DETAILS,
    ),
    scopes=("templates.read", "templates.versions.read"),
    docs=_PAGES + "retrieve-a-single-transactional-template",
    params=_PARAMS,
    nested="versions",
    details=Details(path=_PATH + "/{id}", by="updated_at", columns=_DETAILS),
    note="Its text is asked for template by template, when `updated_at` has moved.",
)
