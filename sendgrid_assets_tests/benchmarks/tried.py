"""What else was tried, with its figures, and why a target is missed where it is.

Belongs here: findings that no run repeats, in Markdown, by benchmark. Does not: today's figures (`report`).
"""

SYNC = """\
**Why the limit is out of reach.** The bytes come from a server on loopback at more than 400 MB/s, which no account's
rate limits allow. Unpacking them and reading each row into one untyped column (*untyped*) already takes seven times
as long as the download. Of ours, about half is DuckDB's: 22 columns cast, compared by key, and written twice (batch,
then table); the rest is unpacking and checking that each line is one sound JSON object.

| design, 1M contacts and 200,000 recipients | ours / dlt | peak MB |
|---|---|---|
| exports in blocks of 4 MB, every page searched for half emojis, one MERGE for all rows | 5.5 | 1,412 |
| the same, pages searched only where they cannot be read | 6.9 | not noted |
| the same, new rows by INSERT, changed ones alone by MERGE (what it is) | 7.5 | 681 |

Not tried: inserting straight from the file where the table is empty, which would save the batch (1.4 s a million
rows), and unpacking on a thread of its own.

**Memory.** DuckDB takes what it is given: by default 80 % of the machine. 1M contacts with one MERGE for all rows:

| settings | seconds, relative | peak MB |
|---|---|---|
| DuckDB's own | 1.0 | 1,364 |
| `memory_limit` 250 MB | 1.2 | 540-575 |
| `memory_limit` 150 MB or less | fails while reading JSON | |
| `memory_limit` 150 MB, one thread | 1.2 | 337 |
| `memory_limit` 100 MB, one thread | 1.3 | 275 |

So 300 MB can be had at the cost of the second core, on a table of this size. Larger ones were not tried; DuckDB fails
where it cannot spill, so a limit that low is not the default.
"""

UPSERT = """\
Designs on 1M contacts of which 1 % changed; the bare MERGE's time divided by the design's, medians of five to seven
alternating runs. The bare MERGE leaves out `extra` and `synced_at`.

| design | CPU | wall |
|---|---|---|
| window for the last row of each key, then a MERGE that touches every row, before casts were made faster | | 0.22 |
| the same with today's casts | 0.50 | 0.43 |
| one MERGE straight from the file, `synced_at` inside it | 0.71 | 0.69 |
| all rows staged, changed ones written first, `synced_at` by an UPDATE of its own | 0.71 | 0.65 |
| a hash of each row compared in a narrow join | 0.71 | 0.74 |
| values of unchanged rows dropped, changed rows cast again | 0.72 | 0.80 |
| read, cast and compared in one query, values kept of changed rows only (what it is) | 0.74-0.79 | 0.74-0.86 |
| bare MERGE with `extra`, for comparison | 0.86-0.99 | 0.89-0.98 |

`MERGE ... RETURNING` for the counts was four times slower than counting.
"""

TRIED = {"sync": SYNC, "upsert": UPSERT}
