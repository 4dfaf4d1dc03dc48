from app.migrations.dump_progress import DumpMeter, Item, Progress, RestoreMeter, Sized, items

LISTING = """;
; Archive created at 2026-11-22 19:11:00 UTC
;
219; 1259 16384 TABLE public a postgres
2576; 0 16384 TABLE DATA public a postgres
2425; 1259 16390 INDEX public a_g_idx postgres
2427; 2606 16392 CONSTRAINT public a a_pkey postgres
""".splitlines()


def test_a_table_counts_when_it_is_finished_and_is_named_while_it_is_at_work() -> None:
    told: list[Progress] = []
    meter = DumpMeter([Sized("public.a", 100), Sized("public.É b", 50)], told.append)
    for line in (
        "pg_dump: reading schemas",
        'pg_dump: dumping contents of table "public.a"',
        'pg_dump: dumping contents of table "public.É b"',
        "pg_dump: finished item 2577 TABLE DATA É b",
        "pg_dump: finished item 2576 TABLE DATA a",
    ):
        meter(line)
    assert told == [
        (0, 150, "public.a"),
        (0, 150, "public.a, public.É b"),
        (50, 150, "public.a"),
        (150, 150, ""),
    ]


def test_the_peak_is_over_when_half_is_dumped_or_a_worker_has_nothing_left_to_begin() -> None:
    meter = DumpMeter([Sized("public.a", 100), Sized("public.b", 50), Sized("public.c", 20)], lambda _: None)
    seen = []
    for line in (
        "pg_dump: reading schemas",
        'pg_dump: dumping contents of table "public.a"',
        'pg_dump: dumping contents of table "public.b"',
        "pg_dump: finished item 2 TABLE DATA b",
        'pg_dump: dumping contents of table "public.c"',
        "pg_dump: finished item 3 TABLE DATA c",
        "pg_dump: finished item 1 TABLE DATA a",
    ):
        meter(line)
        seen.append((meter.is_past_its_peak(2), meter.is_past_its_peak(1)))
    assert [two for two, _ in seen] == [False, False, False, False, False, True, True]
    assert [one for _, one in seen] == [False, False, False, False, False, False, True]


def test_an_unknown_line_is_passed_over() -> None:
    told: list[Progress] = []
    DumpMeter([], told.append)("pg_dump: finished item 1 TABLE DATA never begun")
    DumpMeter([], told.append)("something else")
    assert told == [(0, 0, "")]


ITEMS = {
    219: Item("TABLE public a postgres", 0),
    2576: Item("TABLE DATA public a postgres", 1000),
    2425: Item("INDEX public a_g_idx postgres", 251),
    2427: Item("CONSTRAINT public a a_pkey postgres", 251),
}


def test_data_weighs_its_file_and_indexes_share_half_as_much() -> None:
    assert items(LISTING, {"dump/2576.dat.gz": 1000, "dump/toc.dat": 9}) == ITEMS


def test_several_workers_count_what_they_have_finished() -> None:
    told: list[Progress] = []
    meter = RestoreMeter(ITEMS, told.append)
    meter("pg_restore: launching item 2576 TABLE DATA a")
    meter('pg_restore: processing data for table "public.a"')
    meter("pg_restore: finished item 2576 TABLE DATA a")
    assert told == [(0, 1502, "TABLE DATA a"), (1000, 1502, "TABLE DATA a")]


def test_one_worker_has_finished_an_item_when_it_begins_the_next() -> None:
    told: list[Progress] = []
    meter = RestoreMeter(ITEMS, told.append)
    meter('pg_restore: processing data for table "public.a"')
    meter('pg_restore: creating CONSTRAINT "public.a a_pkey"')
    meter('pg_restore: creating ACL "public.a"')
    assert told == [
        (0, 1502, "TABLE DATA public.a"),
        (1000, 1502, "CONSTRAINT public.a a_pkey"),
        (1251, 1502, "ACL public.a"),
    ]
