package io.tidemark.consistency.mongodb;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A server as it describes itself. Sources: MongoDB manual, "hello", "buildInfo", "serverStatus", "getCmdLineOpts",
 * "replSetGetStatus", "Replica Set Member States".
 *
 * @param member its replica set as it sees it; empty for a server that is in none
 */
record ServerDescription(Answer hello, Answer build, Answer status, Answer options, Optional<Answer> member) {
    /** Of the answers that are used, {@code topologyVersion} is the youngest (4.4); 5 is what was read about. */
    static final int MAJOR_MINIMUM = 5;
    /** The newest whose manual was read; a later one may have changed its answers. */
    static final int MAJOR_MAXIMUM = 8;
    /** From here on no server is without a journal. */
    private static final int ALWAYS_JOURNALED = 6_01;

    private static final int MINORS_A_MAJOR = 100;
    private static final long PRIMARY = 1;
    private static final long SECONDARY = 2;
    private static final Map<Long, String> STATES = Map.of(
            0L,
            "STARTUP",
            3L,
            "RECOVERING",
            5L,
            "STARTUP2, its initial sync",
            6L,
            "UNKNOWN",
            7L,
            "ARBITER",
            8L,
            "DOWN",
            9L,
            "ROLLBACK",
            10L,
            "REMOVED");

    /** @throws IOException where it does not answer, or the user may not ask */
    static ServerDescription of(MongoDbSession session) throws IOException {
        var hello = session.ask("hello");
        var build = session.ask("buildInfo");
        if (unanswerable(hello)) {
            // What follows has no meaning there, and is refused in other words.
            return new ServerDescription(hello, build, Answer.NOTHING, Answer.NOTHING, Optional.empty());
        }
        return new ServerDescription(
                hello,
                build,
                session.ask("serverStatus"),
                session.ask("getCmdLineOpts").part("parsed").orElse(Answer.NOTHING),
                hello.has("setName") ? Optional.of(session.ask("replSetGetStatus")) : Optional.empty());
    }

    /** Whether it is a router or an arbiter, or is not in the replica set that it was started for. */
    private static boolean unanswerable(Answer hello) {
        return hello.text("msg").equals("isdbgrid") || hello.yes("arbiterOnly") || hello.yes("isreplicaset");
    }

    String version() {
        return build.text("version");
    }

    /** 700 for {@code 7.0.14}; -1 for what is no version. */
    private int versionNumber() {
        var parts = version().split("\\.", -1);
        try {
            return parts.length < 2 ? -1 : Integer.parseInt(parts[0]) * MINORS_A_MAJOR + Integer.parseInt(parts[1]);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    String role() {
        return member.isEmpty() ? "standalone" : isPrimary() ? "primary" : "secondary";
    }

    private boolean isPrimary() {
        return state() == PRIMARY;
    }

    private long state() {
        return member.map(set -> set.number("myState")).orElse(-1L);
    }

    /** Why a cut of it would prove nothing; empty when it is fit. */
    Optional<String> unfit() {
        if (hello.text("msg").equals("isdbgrid")) {
            return Optional.of("server is a mongos, which keeps no data: name a mongod of each shard and of the config"
                    + " servers, in one group");
        }
        if (hello.yes("arbiterOnly")) {
            return Optional.of("server is an arbiter, which keeps no data: name another member of " + setName());
        }
        if (hello.yes("isreplicaset")) {
            return Optional.of("server was started for a replica set that it is not in: rs.initiate() or rs.add()");
        }
        int number = versionNumber();
        if (number / MINORS_A_MAJOR < MAJOR_MINIMUM || number / MINORS_A_MAJOR > MAJOR_MAXIMUM) {
            return Optional.of(
                    "server is MongoDB %s, supported are %d to %d".formatted(version(), MAJOR_MINIMUM, MAJOR_MAXIMUM));
        }
        return unfitStorage(number).or(this::unfitMember);
    }

    private Optional<String> unfitStorage(int number) {
        var engine = status.text("storageEngine.name");
        if (!engine.equals("wiredTiger")) {
            return Optional.of("its storage engine is %s: of wiredTiger alone is it known what a cut holds"
                    .formatted(engine.isEmpty() ? "not told" : engine));
        }
        if (number < ALWAYS_JOURNALED && options.no("storage.journal.enabled")) {
            return Optional.of(
                    "server keeps no journal, so a cut would lack what was written since its last checkpoint:"
                            + " start it without --nojournal");
        }
        return Optional.empty();
    }

    private Optional<String> unfitMember() {
        if (member.isPresent() && state() != PRIMARY && state() != SECONDARY) {
            return Optional.of("server is in state %s, neither primary nor secondary"
                    .formatted(STATES.getOrDefault(state(), Long.toString(state()))));
        }
        return unchangedSince().isEmpty()
                ? Optional.of("server does not tell its topologyVersion, by which it would be known again")
                : Optional.empty();
    }

    /**
     * What changes when the process does, and whenever its role or its replica set does; empty where it is not told.
     * Source: MongoDB specifications, "Server Discovery and Monitoring", topologyVersion.
     */
    static String unchangedSince(Answer hello) {
        return hello.printed("topologyVersion");
    }

    String unchangedSince() {
        return unchangedSince(hello);
    }

    String setName() {
        return hello.text("setName");
    }

    /**
     * What is good to know of a server that is fit, one phrase each.
     *
     * @param balancerIsAsked whether a mongos tells if chunks migrate
     */
    List<String> warnings(boolean balancerIsAsked) {
        var warnings = new ArrayList<String>();
        if (status.has("sharding") || options.has("sharding.clusterRole")) {
            warnings.add(
                    "server is part of a sharded cluster: the recovery point holds this member's data alone. Several"
                            + " shards are of one instant only as far as their hosts are frozen together"
                            + (balancerIsAsked
                                    ? ""
                                    : "; stop the balancer on a mongos before (sh.stopBalancer()): that it rests cannot be"
                                            + " seen from here, only with the setting router"));
        }
        if (member.isPresent() && !isPrimary()) {
            warnings.add("server is a secondary: the recovery point holds what it has got of its primary by then");
        }
        if (options.has("storage.wiredTiger.engineConfig.configString")) {
            warnings.add("server has a configString for its storage engine: nobody checked whether that moves or"
                    + " switches off its journal");
        }
        return warnings;
    }
}
