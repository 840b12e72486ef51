"""What is asked of the data worker, and what it answers.

Transport
    One JSON document a line. Requests on the worker's stdin:

        {"id": "7", "verb": "profile", "args": {...}}      args: one of the *Request classes below
        {"id": "7", "cancel": true}                        nothing more comes of request 7

    Answers on its stdout, those of several requests mixed:

        {"id": "7", "part": {...}}                         more is coming
        {"id": "7", "part": {...}, "final": true}          the last one
        {"id": "7", "error": {"code": ..., "message": ...}, "final": true}

    `POST data/<verb>` takes `args` as its body and answers the same lines as NDJSON. A cancelled
    request gets no further line. The worker is started as

        python -m studio.data.worker --root DIR [--cache DIR] [--memory BYTES]

    reads files below --root only, keeps converted data in --cache (bounded, shared by workers),
    and ends when its stdin does.

Verbs
    profile   ProfileRequest -> ProfilePart ...    a sample first, then column by column, exact
    rows      RowsRequest    -> RowsAnswer         one window
    chart     ChartRequest   -> ChartAnswer        one figure
    compare   CompareRequest -> ComparePart ...    facts first, then column by column
    prepare   PrepareRequest -> PrepareAnswer      training channels, written to S3

    While a file is read for the first time (later requests find it converted) any verb may send
    parts that hold nothing but {"progress": 0..1, "doing": "reading sales.csv"}: see Progress.

Values
    Members are spelled as the fields below; a field with a default may be left out of a request.
    Unknown members are refused. Numbers that JSON has no word for (NaN, infinities) are null, in
    cells of rows the strings "Infinity" and "-Infinity"; integers beyond 2**53 are strings; times
    are ISO 8601 in UTC, without offset. All text is data: nothing in it is HTML, except that
    figures have `&` and `<` escaped where Plotly would read markup.
"""
