"""Deliverability in a marimo notebook: `marimo edit deliverability.py`, or `marimo run` for the page alone.

Belongs here: questions to the published file, as SQL. Does not: their charts (`charts`), what the metrics mean (the
insights' own comments), nor anything that writes.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Deliverability",
    sql_output="pandas",
)

with app.setup:
    import marimo as mo
    import pandas as pd

    from sendgrid_assets.notebooks import charts, published
    from sendgrid_assets.notebooks.formats import formats


@app.function(hide_code=True)
def drawn(chart):
    return mo.ui.altair_chart(chart, chart_selection=False, legend_selection=False)


@app.function(hide_code=True)
def listed(rows):
    return mo.ui.table(
        rows, format_mapping=formats(rows), selection=None, page_size=20, show_data_types=False
    )


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # What became of our mail

    From SendGrid's events and lists, as `sendgrid_assets` publishes them. Every table below is SQL on that file:
    change it, and what depends on it follows.
    """)
    return


@app.cell
def _():
    schema = "sendgrid"
    return (schema,)


@app.cell(hide_code=True)
def _():
    reload = mo.ui.button(label="Open the newest file")
    days = mo.ui.dropdown(
        {"7 days": 7, "30 days": 30, "90 days": 90, "a year": 365}, value="30 days", label="The last"
    )
    mo.hstack([days, reload], justify="start", gap=2)
    return days, reload


@app.cell
def _(reload, schema):
    _again = reload.value
    try:
        sendgrid, _missing = published.connect(schema), ""
    except published.NothingToReadError as error:
        _missing = str(error)
    mo.stop(bool(_missing), mo.callout(_missing, kind="warn"))
    return (sendgrid,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## How fresh is this?

    All instants are UTC. `published_at` is when this copy was begun; all that was committed before is in it.
    """)
    return


@app.cell
def _(activity, sendgrid):
    freshness = mo.sql(
        f"""
        SELECT published_at, synced_at, loaded_at, (SELECT max(timestamp) FROM activity) AS newest_event_at
        FROM _sendgrid_assets.published
        """,
        engine=sendgrid,
        output=False,
    )
    return (freshness,)


@app.cell(hide_code=True)
def _(freshness):
    listed(freshness)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Deliverability by day

    An event counts on the day it happened. Delivery, bounce and block rates are shares of what was **processed**;
    opens and spam reports are shares of what was **delivered**. *Bounced* is refused for good, *blocked* is refused
    this time. Opens and clicks are those of *people*: without Apple Mail's machine and without likely bots.
    The rates of the whole period are made from its sums, not from the mean of its days.
    """)
    return


@app.cell
def _(days, email_daily, sendgrid):
    period = mo.sql(
        f"""
        SELECT max(day) - {days.value - 1} AS since, max(day) AS until
        FROM email_daily
        """,
        engine=sendgrid,
        output=False,
    )
    return (period,)


@app.cell(hide_code=True)
def _(period):
    _none = period["until"].isna().all()
    mo.callout("No event has come yet: is the Event Webhook connected?", kind="warn") if _none else None
    return


@app.cell
def _(email_daily, period, sendgrid):
    totals = mo.sql(
        f"""
        SELECT coalesce(sum(processed), 0)::BIGINT           AS processed,
               sum(delivered) / nullif(sum(processed), 0)    AS delivery_rate,
               sum(bounces) / nullif(sum(processed), 0)      AS bounce_rate,
               sum(blocks) / nullif(sum(processed), 0)       AS block_rate,
               sum(spam_reports) / nullif(sum(delivered), 0) AS spam_report_rate
        FROM email_daily JOIN period ON day BETWEEN since AND until
        """,
        engine=sendgrid,
        output=False,
    )
    return (totals,)


@app.cell(hide_code=True)
def _(totals):
    mo.hstack(
        [
            mo.stat(
                formats(totals).get(_name, "{:,.0f}".format)(_value),
                label=_name.replace("_", " "),
                bordered=True,
            )
            for _name, _value in totals.to_dict("records")[0].items()
        ],
        widths="equal",
    )
    return


@app.cell
def _(email_daily, period, sendgrid):
    daily = mo.sql(
        f"""
        SELECT day, processed, delivered, bounces, blocks, dropped,
               delivery_rate, unique_human_open_rate,
               unique_human_clicks / nullif(delivered, 0) AS unique_human_click_rate,
               bounce_rate, block_rate, spam_report_rate
        FROM email_daily JOIN period ON day BETWEEN since AND until
        ORDER BY day DESC
        """,
        engine=sendgrid,
        output=False,
    )
    return (daily,)


@app.cell(hide_code=True)
def _(daily):
    mo.vstack([drawn(charts.daily(daily)), listed(daily)])
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## From processed to clicked

    Messages whose first event is in the period, over their whole life: a *message* is one mail to one address. Each
    step counts by itself, since events may be missing or late, and who reads with pictures off clicks without an open.
    """)
    return


@app.cell
def _(messages, period, sendgrid):
    funnel = mo.sql(
        f"""
        WITH counted AS (
            SELECT count(processed_at)         AS processed,
                   count(delivered_at)         AS delivered,
                   count(first_human_open_at)  AS opened,
                   count(first_human_click_at) AS clicked
            FROM messages JOIN period ON first_day BETWEEN since AND until
        ), steps AS (
            SELECT unnest([1, 2, 3, 4]) AS n,
                   unnest(['processed', 'delivered', 'opened by a person', 'clicked by a person']) AS step,
                   unnest([processed, delivered, opened, clicked]) AS messages
            FROM counted
        )
        SELECT step, messages,
               messages / nullif(first(messages) OVER (ORDER BY n), 0) AS of_processed,
               messages / nullif(lag(messages) OVER (ORDER BY n), 0)   AS of_step_before
        FROM steps
        ORDER BY n
        """,
        engine=sendgrid,
        output=False,
    )
    return (funnel,)


@app.cell(hide_code=True)
def _(funnel):
    mo.vstack([drawn(charts.funnel(funnel)), listed(funnel)])
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Mailbox providers and domains

    Where a provider refuses more than others, or its people open less, look there first: few opens at one provider
    alone often mean its spam folder. The provider is known from the domain's name; companies' own domains are `Other`.
    Sums of days: a message opened on two days counts on both.
    """)
    return


@app.cell
def _(domain_deliverability, period, sendgrid):
    domains = mo.sql(
        f"""
        SELECT mailbox_provider, domain,
               sum(processed)::BIGINT                              AS processed,
               sum(delivered) / nullif(sum(processed), 0)          AS delivery_rate,
               sum(bounces) / nullif(sum(processed), 0)            AS bounce_rate,
               sum(blocks) / nullif(sum(processed), 0)             AS block_rate,
               sum(unique_human_opens) / nullif(sum(delivered), 0) AS unique_human_open_rate,
               sum(spam_reports) / nullif(sum(delivered), 0)       AS spam_report_rate
        FROM domain_deliverability JOIN period ON day BETWEEN since AND until
        WHERE domain IS NOT NULL
        GROUP BY ALL
        ORDER BY processed DESC
        LIMIT 12
        """,
        engine=sendgrid,
        output=False,
    )
    return (domains,)


@app.cell(hide_code=True)
def _(domains):
    mo.vstack([drawn(charts.domains(domains)), listed(domains)])
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Why mail was refused or dropped

    Of all time, not only of the period. *Bounce* and *blocked* are the receiving servers' refusals, in SendGrid's
    classes; a *drop* is mail that SendGrid did not try, mostly since the address is suppressed.
    """)
    return


@app.cell
def _(bounce_reasons, drop_reasons, sendgrid):
    causes = mo.sql(
        f"""
        SELECT coalesce(type, 'bounce') AS kind, reason, sum(bounces)::BIGINT AS messages,
               max(last_seen_at) AS last_seen_at, arg_max(example, last_seen_at) AS example
        FROM bounce_reasons
        GROUP BY ALL
        UNION ALL
        SELECT 'dropped', reason, sum(drops)::BIGINT, max(last_seen_at), arg_max(example, last_seen_at)
        FROM drop_reasons
        GROUP BY ALL
        ORDER BY messages DESC
        LIMIT 20
        """,
        engine=sendgrid,
        output=False,
    )
    return (causes,)


@app.cell(hide_code=True)
def _(causes):
    mo.vstack([drawn(charts.causes(causes)), listed(causes)])
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Single sends and categories

    Each over the whole life of its messages. All rates are shares of what was **delivered**; *left* is who
    unsubscribed, from a group or from everything. Mail in several categories counts in each.
    """)
    return


@app.cell
def _(sendgrid, single_send_performance):
    sends = mo.sql(
        f"""
        SELECT coalesce(singlesend_name, singlesend_id) AS single_send, send_at, delivered,
               unique_human_open_rate,
               unique_human_clicks / nullif(delivered, 0)                 AS unique_human_click_rate,
               (unsubscribes + group_unsubscribes) / nullif(delivered, 0) AS left_rate,
               spam_report_rate
        FROM single_send_performance
        ORDER BY coalesce(send_at, first_day) DESC
        LIMIT 12
        """,
        engine=sendgrid,
        output=False,
    )
    return (sends,)


@app.cell
def _(category_performance, sendgrid):
    categories = mo.sql(
        f"""
        SELECT category, delivered,
               unique_human_open_rate,
               unique_human_clicks / nullif(delivered, 0)                 AS unique_human_click_rate,
               (unsubscribes + group_unsubscribes) / nullif(delivered, 0) AS left_rate,
               spam_report_rate
        FROM category_performance
        ORDER BY delivered DESC
        LIMIT 12
        """,
        engine=sendgrid,
        output=False,
    )
    return (categories,)


@app.cell(hide_code=True)
def _(categories, sends):
    mo.vstack([drawn(charts.compared(sends, categories)), listed(sends), listed(categories)])
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## One recipient

    What an address was sent, what it did, and whether SendGrid holds mail to it back, why and since when. It begins
    with the address that clicked most; one that never got mail has no recency.
    """)
    return


@app.cell
def _(recipient_engagement, sendgrid):
    most_active = mo.sql(
        f"""
        SELECT email
        FROM recipient_engagement
        ORDER BY human_clicks_365d DESC, human_opens_365d DESC, email
        LIMIT 1
        """,
        engine=sendgrid,
        output=False,
    )
    return (most_active,)


@app.cell(hide_code=True)
def _(most_active):
    address = mo.ui.text(value="".join(most_active["email"]), label="Address", full_width=True)
    address
    return (address,)


@app.cell(hide_code=True)
def _(address):
    asked = pd.DataFrame({"email": [address.value.strip().lower()]})
    return (asked,)


@app.cell
def _(asked, recipient_engagement, sendgrid, suppression_state):
    state = mo.sql(
        f"""
        SELECT asked.email, coalesce(suppressed, false) AS suppressed, kinds AS suppressed_by, since,
               recency_band, last_delivered_at, last_human_opened_at, last_human_clicked_at
        FROM asked
        LEFT JOIN recipient_engagement ON recipient_engagement.email = asked.email
        LEFT JOIN suppression_state ON suppression_state.email = asked.email
        """,
        engine=sendgrid,
        output=False,
    )
    return (state,)


@app.cell(hide_code=True)
def _(state):
    listed(state)
    return


@app.cell
def _(asked, messages, sendgrid):
    received = mo.sql(
        f"""
        SELECT coalesce(processed_at, delivered_at, dropped_at, bounced_at, first_open_at) AS sent_at,
               coalesce(singlesend_name, campaign_name, template_name, category[1]) AS mail,
               outcome, first_human_open_at, first_human_click_at, opens, clicks,
               coalesce(bounce_reason, drop_reason) AS reason
        FROM messages JOIN asked ON lower(trim(messages.email)) = asked.email
        ORDER BY sent_at DESC
        LIMIT 50
        """,
        engine=sendgrid,
        output=False,
    )
    return (received,)


@app.cell(hide_code=True)
def _(received):
    listed(received)
    return


@app.cell
def _(activity, asked, sendgrid):
    timeline = mo.sql(
        f"""
        SELECT timestamp, CASE WHEN sg_machine_open THEN 'open by a machine' ELSE event END AS event,
               coalesce(url, reason, response) AS detail, message_id
        FROM activity JOIN asked ON lower(trim(activity.email)) = asked.email
        WHERE duplicate_of IS NULL
        ORDER BY timestamp DESC
        LIMIT 500
        """,
        engine=sendgrid,
        output=False,
    )
    return (timeline,)


@app.cell(hide_code=True)
def _(timeline):
    drawn(charts.timeline(timeline))
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## With your own product's data

    The orders in the next cell are **made up**: put yours in their place, from any CSV, Parquet or database that DuckDB
    reads, such as `SELECT lower(trim(email)) AS email, ordered_at, amount FROM 'orders.csv'`. Instants are UTC.

    Revenue is shown by how long ago an address last opened or clicked, which is what a sunset policy would cut; and by
    single send: an order counts for the last one that its address clicked, at most seven days before.
    """)
    return


@app.cell
def _(recipient_engagement, sendgrid):
    orders = mo.sql(
        f"""
        SELECT email,
               coalesce(last_human_clicked_at, last_delivered_at) + to_hours(1 + n * 30) AS ordered_at,
               10 + hash(email || n) % 90                                                AS amount
        FROM recipient_engagement, range(3) AS made_up(n)
        WHERE last_delivered_at IS NOT NULL AND hash(email) % 4 > n
        ORDER BY email, ordered_at
        """,
        engine=sendgrid,
        output=False,
    )
    return (orders,)


@app.cell
def _(orders, recipient_engagement, sendgrid):
    by_recency = mo.sql(
        f"""
        WITH bought AS (
            SELECT email, count(*) AS orders, sum(amount) AS revenue FROM orders GROUP BY email
        )
        SELECT recency_band, count(*) AS recipients, count(bought.email) AS buyers,
               coalesce(sum(revenue), 0)::DOUBLE              AS revenue,
               coalesce(sum(revenue), 0)::DOUBLE / count(*)   AS revenue_per_recipient
        FROM recipient_engagement LEFT JOIN bought ON bought.email = recipient_engagement.email
        GROUP BY recency_band
        ORDER BY recency_band
        """,
        engine=sendgrid,
        output=False,
    )
    return (by_recency,)


@app.cell
def _(messages, orders, sendgrid):
    by_send = mo.sql(
        f"""
        WITH clicked AS (
            SELECT lower(trim(email)) AS email, last_human_click_at AS clicked_at, singlesend_name
            FROM messages
            WHERE last_human_click_at IS NOT NULL AND singlesend_id IS NOT NULL
        )
        SELECT singlesend_name AS single_send, count(*) AS orders, sum(amount)::DOUBLE AS revenue
        FROM orders ASOF JOIN clicked ON orders.email = clicked.email AND orders.ordered_at >= clicked.clicked_at
        WHERE ordered_at <= clicked_at + INTERVAL 7 DAY
        GROUP BY single_send
        ORDER BY revenue DESC
        LIMIT 12
        """,
        engine=sendgrid,
        output=False,
    )
    return (by_send,)


@app.cell(hide_code=True)
def _(by_recency, by_send):
    mo.vstack([drawn(charts.revenue(by_recency, by_send)), listed(by_recency), listed(by_send)])
    return


if __name__ == "__main__":
    app.run()
