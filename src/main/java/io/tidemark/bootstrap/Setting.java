package io.tidemark.bootstrap;

import java.util.List;

/**
 * One setting of {@code tidemark.yaml}: where it stands, what it may be, what it is when absent.
 *
 * @param path dotted, for example {@code http.port}
 * @param fallback the default as it would be written; empty text means there is none
 * @param minimum smallest allowed number, bytes or milliseconds; meaningless for texts
 * @param maximum largest allowed
 * @param meaning one sentence with the unit, for the reference
 */
record Setting(String path, Kind kind, String fallback, long minimum, long maximum, String meaning) {

    enum Kind {
        TEXT("a text"),
        NUMBER("a whole number"),
        BYTES("a size such as 512KiB, 4MiB or 1GiB"),
        DURATION("a time such as 500ms, 10s or 5m"),
        SWITCH("true or false"),
        LIST("a list of texts");

        private final String form;

        Kind(String form) {
            this.form = form;
        }

        String form() {
            return form;
        }
    }

    private static final long MAXIMUM = Long.MAX_VALUE;

    /** Every setting there is, in the order of the reference. Providers check their own section themselves. */
    static final List<Setting> ALL = List.of(
            text("site.name", "site", "name of this site in logs and invitations"),
            text(
                    "state.folder",
                    "/var/lib/tidemark",
                    "folder of database, keys and logs of received blocks; mode 0700"),
            text("http.host", "127.0.0.1", "address the API listens on; any but loopback demands TLS"),
            number("http.port", 7420, 0, 65_535, "TCP port of the API; 0 takes any free one"),
            text("http.tls.certificateFile", "", "PEM file with the certificate chain of the API"),
            text("http.tls.keyFile", "", "PEM file with its private key, readable by this user alone"),
            bytes(
                    "http.requestBytesMaximum",
                    "1MiB",
                    1_024,
                    64L << 20,
                    "largest request body; a longer one is refused with 413"),
            duration(
                    "http.requestTimeout",
                    "30s",
                    100,
                    600_000,
                    "longest time one request may take; operations go on without it"),
            flag("http.metricsOpen", false, "whether /metrics answers without a token"),
            text("replication.host", "127.0.0.1", "address the replication listener binds; always mutual TLS 1.3"),
            number("replication.port", 7421, 0, 65_535, "TCP port of the replication listener; 0 takes any free one"),
            text("replication.advertisedHost", "", "host that invitations name; empty takes replication.host"),
            text(
                    "replication.rateLimit",
                    "unlimited",
                    "most that all links together may send a second, for example 50MiB/s"),
            text(
                    "replication.rateWindows",
                    "",
                    "rates at certain hours instead, for example mon-fri 08:00-18:00=10MiB/s; several with a semicolon"),
            flag("replication.pacing", false, "whether senders give way when the host's own work waits"),
            bytes(
                    "replication.paceFloor",
                    "4MiB",
                    64L << 10,
                    1L << 40,
                    "bytes a second that a sender giving way never falls below"),
            bytes(
                    "replication.paceCeiling",
                    "1GiB",
                    64L << 10,
                    1L << 40,
                    "bytes a second that a sender giving way never goes above"),
            bytes(
                    "replication.bytesInFlightMaximum",
                    "256MiB",
                    1L << 20,
                    64L << 30,
                    "bytes that all links together have sent and that are not durable at their targets yet"),
            number(
                    "replication.auditSamples",
                    64,
                    0,
                    4_096,
                    "blocks compared by chance in each synchronisation although their storage calls them unchanged"),
            duration(
                    "replication.auditEvery",
                    "30d",
                    0,
                    3_650L * 86_400_000,
                    "time in which all that the storage calls unchanged is compared once; 0ms: never"),
            flag(
                    "replication.blockIndexes",
                    true,
                    "whether the digests of the blocks sent last are kept where the storage does not say what changed"),
            bytes(
                    "replication.blockIndexBytesMaximum",
                    "16GiB",
                    1L << 20,
                    1L << 50,
                    "most that these digests may take of state.folder; 4 GiB a TiB of volume"),
            text(
                    "exports.socketFolder",
                    "",
                    "folder of the unix socket nbd.sock, on which exports are served; empty takes exports in state.folder"),
            bytes(
                    "exports.overlayBytesMaximum",
                    "16GiB",
                    1L << 20,
                    1L << 50,
                    "most that one export's overlay may take of state.folder"),
            text("exports.host", "", "address on which exports are served over TCP too; any but loopback demands TLS"),
            number("exports.port", 10_809, 0, 65_535, "TCP port of exports; 0 takes any free one"),
            text("exports.tls.certificateFile", "", "PEM file with the certificate chain that exports show"),
            text("exports.tls.keyFile", "", "PEM file with its private key, readable by this user alone"),
            text(
                    "exports.tls.clientAuthorityFile",
                    "",
                    "PEM file with the authorities that sign clients' certificates; others are refused"),
            number("operations.concurrentMaximum", 8, 1, 64, "operations that run at once; further ones wait"),
            duration(
                    "operations.stopTimeout",
                    "20s",
                    0,
                    600_000,
                    "time a stop grants running operations; the next start takes up the rest"),
            text(
                    "agent.controllers",
                    "",
                    "role agent: addresses of the controller, host:port, tried in turn; several with a semicolon; empty takes the one of the invitation"),
            text(
                    "agent.volumes",
                    "*",
                    "role agent: volumes that the controller may act on; * stands for any characters; several with a semicolon"),
            text(
                    "agent.quiescers",
                    "postgresql; mariadb; mysql; mongodb; redis; sqlserver; oracle; command",
                    "role agent: kinds of quiescers that the controller may use; several with a semicolon"),
            text(
                    "agent.secrets",
                    "/etc/tidemark",
                    "role agent: folder of the files with passwords that the controller may name in a quiescer's settings"),
            flag("agent.overwrite", false, "role agent: whether the controller may roll back and remove volumes"),
            text(
                    "agent.abilities",
                    "",
                    "role agent: what the controller may have the storage do besides: locks, archives, fastRestores, recycleBin, copies, storageReplication; several with a semicolon"),
            text(
                    "quiescers.oracle.driver",
                    "",
                    "path of the jar of Oracle's JDBC driver, which quiescers of kind oracle load; its terms keep it out of this distribution"));

    private static Setting text(String path, String fallback, String meaning) {
        return new Setting(path, Kind.TEXT, fallback, 0, MAXIMUM, meaning);
    }

    private static Setting number(String path, long fallback, long minimum, long maximum, String meaning) {
        return new Setting(path, Kind.NUMBER, Long.toString(fallback), minimum, maximum, meaning);
    }

    private static Setting bytes(String path, String fallback, long minimum, long maximum, String meaning) {
        return new Setting(path, Kind.BYTES, fallback, minimum, maximum, meaning);
    }

    private static Setting duration(String path, String fallback, long minimum, long maximum, String meaning) {
        return new Setting(path, Kind.DURATION, fallback, minimum, maximum, meaning);
    }

    private static Setting flag(String path, boolean fallback, String meaning) {
        return new Setting(path, Kind.SWITCH, Boolean.toString(fallback), 0, MAXIMUM, meaning);
    }
}
