-- How SendGrid's JSON values are cast. Run once per connection: temporary, so no part of the file.

-- Numbers come as text and text as numbers; a fraction does not fit a whole number.
CREATE OR REPLACE TEMP MACRO sg_bigint(v) AS
    CASE WHEN TRY_CAST(v AS DOUBLE) <> floor(TRY_CAST(v AS DOUBLE)) THEN NULL ELSE TRY_CAST(v AS BIGINT) END;

-- Up to 12 digits are seconds, 13 milliseconds, 16 microseconds, none beyond the year 9999; 0 is "not set".
CREATE OR REPLACE TEMP MACRO sg_number_instant(d) AS
    CASE
        WHEN NOT isfinite(d) OR d <= 0 THEN NULL
        WHEN d < 253402300800 THEN make_timestamp(CAST(round(d * 1e6) AS BIGINT))
        WHEN d < 1e12 THEN NULL
        WHEN d < 253402300800e3 THEN make_timestamp(CAST(round(d * 1e3) AS BIGINT))
        WHEN d < 1e15 THEN NULL
        WHEN d < 253402300800e6 THEN make_timestamp(CAST(d AS BIGINT))
    END;

-- ISO 8601 with or without fraction and zone, and `YYYY-MM-DD HH:MM:SS`, which is taken for UTC. A cast to
-- TIMESTAMP drops an offset unread, and one to TIMESTAMPTZ takes a text without one for local time.
CREATE OR REPLACE TEMP MACRO sg_zoned(v) AS
    CASE
        WHEN regexp_matches(v, ':.*[+-]') THEN make_timestamp(epoch_us(TRY_CAST(v AS TIMESTAMPTZ)))
        ELSE TRY_CAST(v AS TIMESTAMP)
    END;

CREATE OR REPLACE TEMP MACRO sg_text_instant(t) AS
    CASE WHEN t BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999' THEN t END;

-- The first case is what SendGrid writes most, told by its shape alone because that is much faster.
CREATE OR REPLACE TEMP MACRO sg_instant(v) AS
    CASE
        WHEN v LIKE '____-__-__T__:__:__Z' THEN sg_text_instant(TRY_CAST(v AS TIMESTAMP))
        WHEN TRY_CAST(v AS DOUBLE) IS NULL THEN sg_text_instant(sg_zoned(v))
        ELSE sg_number_instant(TRY_CAST(v AS DOUBLE))
    END;

-- One text is a list of one.
CREATE OR REPLACE TEMP MACRO sg_list(j) AS
    CASE
        WHEN j IS NULL OR json_type(j) = 'NULL' THEN NULL
        WHEN json_type(j) = 'ARRAY' THEN CAST(j AS VARCHAR[])
        ELSE [j ->> '$']
    END;

-- Legacy custom fields, [{name, type, value}], as one object name -> value; NULL where one has no name.
CREATE OR REPLACE TEMP MACRO sg_pair(c) AS
    CAST(to_json(c.name) AS VARCHAR) || ':' || CASE
        WHEN c.value IS NULL THEN 'null'
        WHEN c.type = 'number' AND regexp_full_match(c.value, '-?(0|[1-9]\d*)(\.\d+)?') THEN c.value
        ELSE CAST(to_json(c.value) AS VARCHAR)
    END;

CREATE OR REPLACE TEMP MACRO sg_pairs(j) AS
    CASE
        WHEN json_type(j) = 'ARRAY' AND list_count(json_extract_string(j, '$[*].name')) = json_array_length(j) THEN CAST(
            '{' || array_to_string(
                list_transform(
                    from_json(j, '[{"name":"VARCHAR","type":"VARCHAR","value":"VARCHAR"}]'), lambda c: sg_pair(c)
                ), ','
            ) || '}' AS JSON
        )
        WHEN json_type(j) = 'OBJECT' THEN j
    END;
