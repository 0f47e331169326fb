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

PUBLISH = """\
A publish has to open the warehouse, replay its log, write the row that says what it is, and checkpoint: about 0.1 s of
work, and 0.25 s in a process that has just started, whatever the file's size. The copy itself is faster than `cp`:

| way to copy 0.5 GB, and fsync it | seconds |
|---|---|
| read and write, 4 MB at once | 0.9-1.2 |
| `cp` | 0.30 |
| `copy_file_range`, 16 MB at once | 0.28-0.34 |
| the same into a file of its full length from the start | 0.25-0.29 |
| the same, each piece's writing begun while the next is copied (what it is) | 0.21-0.26 |

So a gigabyte misses 0.9 by that fixed part, and four gigabytes (two rounds, disk-bound) come to 1.06 and 1.22 times the
speed of `cp`. The pages stay in memory all the same, for those who open the file next. Where the file system shares
blocks (XFS, Btrfs) nothing is copied at all.
"""

INSIGHTS = """\
Every insight is a view. Those that would have to read all events read rollups instead, which each publish brings up to
what was committed; a thousand new events take 0.4 s there beside ten million old ones.

| part | design | seconds |
|---|---|---|
| refresh, rows of the messages concerned | a semi-join over the whole rollup | 0.28 |
| | by their row ids, so that only the row groups they are in are read (what it is) | 0.03 |
| refresh, a Message-ID's owner, 190,000 events | a condition beside the join's equality | 12.8 |
| | the condition within the equality (what it is) | 0.3 |
| `recipient_engagement`, counts of three periods | fifteen filtered sums at once | 0.9 |
| | each period summed apart (what it is) | 0.7 |
| `recipient_engagement` as a whole | last instants from all messages | 1.1 |
| | last instants in a rollup of addresses (what it is) | 0.7 |

The rollups take as much room as a narrow event's columns do: 175 bytes a message.
"""

DRAIN = """\
**Why half of the limit is missed.** The limit reads each event once, into one table, and keeps what it is told to.
Ours reads each event's lines for soundness, its id and instant to tell whether it is there already, then its type's
columns, and what is left as custom arguments: three looks into the same text, where the limit takes one. A million
events in two transactions, processor seconds: soundness and digest 1.9, lines with type and hashes 2.2, finding what
is there 1.6, reading and inserting into thirteen tables 10, commit with checkpoint 1.5; the limit as a whole 5.6.

| design, a million events | processor seconds |
|---|---|
| every line wrapped and parsed in Python, all columns of all types for each event, windows over whole rows | 70-80 |
| lines passed on in blocks, a struct a type, contents only of events that come twice; 64 MiB a transaction | 34 |
| the same, committed to the log and checkpointed once at the end | 46 |
| the same, 128 MiB a transaction, checkpointed with each | 22 |
| the same, 256 MiB (what it is) | 18.5 |
| the same, 256 MiB, the log and one checkpoint | 19.7 |

Small transactions are dear because each checkpoint writes the thirteen tables' last, unfilled row groups anew.

| part | design | processor seconds |
|---|---|---|
| custom arguments, 250,000 events | a merge patch naming every field | 0.51 |
| | naming only fields that occur (what it is) | 0.27 |
| | a MAP and a filter over it | 0.67-0.92 |
| `category`, 305,000 events | looked up in the object again | 0.8 |
| | from the struct (what it is) | 0.06 |
| COMMIT of a million | inserts that join, so unordered | 2.8-5.9 |
| | inserts without a join (what it is) | 0.7-2.1 |

One type alone, 92,000 delivered events in one thread of the slower Intel machine, 1.57 processor seconds into a file:

| part | seconds | what else was tried |
|---|---|---|
| JSON into a struct of texts | 0.25 | |
| custom arguments | 0.35 | above |
| ids, instants, numbers written with an exponent | 0.2 | without the last: 0.05 less |
| writing and compressing 34 columns | 0.73 | other storage versions, compression, fewer threads: little changed |

So writing alone, were the events typed already, takes half of it: thirteen tables of thirty columns, most of them NULL,
where the limit has one.

By design, processor seconds for the 550,000 events of one transaction, on the machine below:

| design | reading, finding what is there | inserting | commit |
|---|---|---|---|
| lines first, each type from them (what it is) | 1.1-1.5 | 4.8-5.5 | 0.3 |
| DuckDB reads the text once, into one wide table, and thirteen inserts follow from it | 3.1 | 3.6 | 0.3 |
| the same, had reading cost nothing | | 3.6 | 0.3 |

The last row is 7.1 for a million, where the limit takes 4.7 on that day for all it does, 3.4-3.8 of it for writing its
one table: so no way of reading gets past two thirds of the limit, and reading all at once gains nothing. All that is
done for exactness (numbers with an exponent, ids of messages, fields packed into others) comes to 0.8 of those 4.8-5.5.

| design, a million events | seconds, relative | peak MB, more |
|---|---|---|
| the next chunk made ready in a thread while this one is loaded | 0.98 | 80-130 |
| 128 MiB a transaction | 1.04 | |
| smaller row groups of the lines in memory (20,480 and 61,440 rows) | 0.97-1 | |

None of these was kept. Four million events in seven transactions on the Intel machine:

| design | drain, processor seconds | peak MB | next publish, seconds | file MB, after it |
|---|---|---|---|---|
| DuckDB may use 1 GB, and merges row groups at each commit | 113 | 1,122 | | |
| 700 MB (what it is) | 114 | 829 | | |
| 1 GB, merged when publishing | 92 | 893 | | |
| two million: 700 MB, merged at each commit (what it is) | 52 | | 15 | 455 |
| two million: 700 MB, merged when publishing | 49 | | 25 | 660 |

Merging later only moves the work to the publish, and leaves holes in the file.
"""

RECEIVE = """\
**Why 0.8 of the limit is missed.** Processor milliseconds of the server for each POST of a thousand events (0.46 MB),
medians of six alternating runs on an Intel Xeon at 2.8 GHz, not the machine below:

| what it does | ms |
|---|---|
| the limit: reads the body, writes it | 1.00 |
| and checks the signature | 1.52 |
| and finds where each event ends, no signature | 1.69 |
| both (what it is) | 2.28 |

SHA-256 is 0.44 ms of it, at a gigabyte a second with the processor's own instructions; ECDSA 0.08; msgspec's look at
every byte 0.40; lines and the search for line breaks 0.1. The clients take another 0.6 ms. Two processors, busy all
the time, come to 0.55 of the limit by these figures, and to 0.76 if events were not told apart at all. More processors
help up to the interpreter's lock, which msgspec holds; hash and ECDSA do not.

| design | 1 event: ours / limit | 100 | 1,000 |
|---|---|---|---|
| routed by Starlette, one submission to the writer for each POST, each event copied | 0.47 | 0.36 | 0.57 |
| plain ASGI, one submission a turn of the event loop, bodies joined in a thread | 1.07 | 0.60 | 0.75 |

Both by the clock on a busy machine, whose slow fsyncs flatter ours. From here on in processor milliseconds a POST,
medians; where rows are numbered alike they are of the same alternating runs, on a machine busier still:

| run | design | 1 | 100 | 1,000 |
|---|---|---|---|---|
| 1 | timestamp and body copied into one to verify, line breaks counted in the lines | | | 3.30 |
| 1 | hashed one after the other by `hashlib`, line breaks looked for in a copy | | | 2.81 |
| 1 | the same, bodies joined once, in the writer's thread (no gain beyond noise: lowest 2.24 to 2.41) | | | 3.05 |
| 1 | the same, large bodies not joined but written one after the other | | | 2.65 |
| 1 | the same, one thread for large bodies instead of six | | | 2.53 |
| 1 | the same, two threads | | | 2.68 |
| 2 | six threads | | | 2.81 |
| 2 | one thread | | | 2.63 |
| 2 | two threads | | | 2.81 |
| 3 | six threads | | | 2.65 |
| 3 | one thread | | | 2.69 |
| 3 | all within the event loop: no dearer, but 1.3 times as long by the clock | | | 2.48 |
| 4 | bodies from 64 KiB on in a thread | | 0.57 | |
| 4 | from 32 KiB on, one thread | | 0.76 | |
| 5 | before | 0.31 | 0.54 | 3.15 |
| 5 | `hashlib`, no joins, counters looked up once, no `shield`, no proxy headers (what it is) | 0.29 | 0.47 | 2.28 |
| 5 | the limit with the writer as it was | 0.17 | 0.20 | 1.25 |
| 5 | the limit with the writer as it is | 0.19 | 0.21 | 1.00 |

So ours went from 0.40 to 0.44 of the limit in processor time at a thousand events, 0.37 to 0.45 at a hundred, 0.56 to
0.66 at one, although the limit gained from the writer too; a peak of 134 MB became 104. One thread was not kept: what
it gains is within the noise, and one slow body would hold up all other large ones.

Ways to find the line ends of a thousand events, ms: counting them 0.72-1.16, splitting the lines again 0.79-0.84,
`find` from each to the next 0.67-0.90, looking for a break in the events joined without one (what it is) 0.51-0.64;
msgspec alone takes 0.39-0.47.

**One event.** ECDSA is 0.08 of 0.24-0.29 ms; two threads for small bodies gained nothing. The rest is HTTP, as in the
limit. Against the plain endpoint the ratio is that of an fsync, awaited one after the other, to this: 12.7 where an
fsync is slow, 2.3 where it is not. The same endpoint run in threads, as frameworks run a plain `def`, lets fsyncs
share the disk's journal: 1.4 ms a POST instead of 5.9 (one run of each, ours 0.61). Ten thousand POSTs of one event
took 6,122 commits at first, 804 later. Not tried: larger reads, another HTTP parser and fewer copies in uvicorn,
since the limit would gain the same; hashing while pieces come in, which takes as long and would hold up the loop;
verifying in processes of their own.
"""

FRESHNESS = """\
(Measured on Intel Xeons with two cores, above at 2.0 GHz, not on the machine below.)

p95 divided by the limit's:

| design | GHz, rounds | table, rest | load | snapshot, rest | load |
|---|---|---|---|---|---|
| one look an interval, one listing, publishes 20 times their duration apart | 2.8, 1, busy | 2.2 | 2.3 | 2.5 | 6.6 |
| a look in ten seconds, two listings, 20 times the copying, 4 the rest | 2.8, 1, busier | 1.06 | 1.51 | 1.14 | 2.24 |
| the same | 2.8, 1 | 1.09 | 1.28 | 1.12 | 1.42 |
| cheaper looks, no pandas, the warehouse opened once less | 2.8, 1 | 1.15 | 1.17 | 1.19 | 1.38 |
| and a second listing only where loading took ten seconds, not two: not kept | 2.8, 1 | 1.23 | 1.32 | 1.26 | 1.45 |
| files of the receiver complete after one second, not two | 2.0, 3 | 1.13 | 1.17 | 1.17 | 1.33 |
| Dagster told nine seconds for a look in ten (what it is) | 2.0, 3 | 1.00 | 1.00 | 1.02 | 1.13 |

What cost most: an event that came while a drain was loading waited for the next; a run that took longer than the
interval lost a whole further one; and publishes of five seconds, 0.05 of them copying, were kept 90 to 130 apart. Up
to five listings a drain made drains of 28 and 51 seconds, which held back their own publish. Definitions that import
pandas, the client and the simulator only where needed take 0.4 instead of 1.6 processor seconds of each run's start.
Dagster's daemon wakes every five seconds: where it woke 9.99 seconds after a look due every ten, that was left for
another five, and drains came 35 and 40 seconds apart.

A round has 35 events of each kind, so that its p95 is the second latest of them. What is left of it under load, in
seconds of a run with 34,000 events: queued 1.0, its process starts 1.9, loading 2.3, Dagster's events of fourteen
tables 0.4, publishing 1.8 to 2.3. Of the last, on a warehouse of half a million events, the checkpoint takes 1.3 to 2.4
processor seconds, as each table's last row group is compressed anew, insights 0.4 to 0.8, reading the log 0.4.
Smaller row groups did not make the checkpoint cheaper (0.7 to 1.8 seconds at 20,480 rows, 0.6 to 1.2 at 122,880), nor
did merging none (1.16 seconds on average instead of 1.33, but a row group more with each publish). Not tried:
publishing through the connection that loaded, which would read no log.
"""

TRIED = {
    "sync": SYNC,
    "upsert": UPSERT,
    "publish": PUBLISH,
    "insights": INSIGHTS,
    "drain": DRAIN,
    "receive-1000": RECEIVE,
    "freshness": FRESHNESS,
}
