package io.tidemark.consistency.mongodb;

import java.io.IOException;
import java.util.Optional;

/**
 * Whether a writer that asks for nothing hears back only once its write is in the journal. Sources: MongoDB manual,
 * "Write Concern" (implicit default, acknowledgment behavior), "getDefaultRWConcern",
 * "writeConcernMajorityJournalDefault".
 */
final class WriteDurability {
    private static final long COMMIT_MILLIS_DEFAULT = 100;

    private WriteDurability() {}

    /** What may be missing from a cut although it was acknowledged, as a phrase; empty: nothing by default. */
    static Optional<String> mayMiss(MongoDbSession session, ServerDescription server) throws IOException {
        long interval = server.options().number("storage.journal.commitIntervalMs");
        var within =
                "what was acknowledged without being journaled (j: true) from up to %d ms before the file systems are frozen until the cut may be missing: "
                        .formatted(interval < 0 ? COMMIT_MILLIS_DEFAULT : interval);
        if (server.member().isEmpty()) {
            return Optional.of(within + "without a replica set that is the default");
        }
        if (server.role().equals("secondary")) {
            // It acknowledges nobody's writes but its primary's.
            return Optional.empty();
        }
        return notByDefault(session).map(reason -> within + reason);
    }

    private static Optional<String> notByDefault(MongoDbSession session) throws IOException {
        try {
            var defaults = session.ask("getDefaultRWConcern");
            boolean majority = defaults.text("defaultWriteConcern.w").equals("majority");
            if (defaults.no("defaultWriteConcern.j") || (!majority && !defaults.yes("defaultWriteConcern.j"))) {
                return Optional.of("the default write concern is %s, which does not wait for the journal"
                        .formatted(
                                defaults.has("defaultWriteConcern")
                                        ? defaults.printed("defaultWriteConcern")
                                        : "w: 1"));
            }
            return session.ask("replSetGetConfig").no("config.writeConcernMajorityJournalDefault")
                    ? Optional.of("writeConcernMajorityJournalDefault is off")
                    : Optional.empty();
        } catch (MongoDbSession.Refused e) {
            return Optional.of(
                    e.isForWantOfARight()
                            ? "the default write concern is hidden from the user (grant getDefaultRWConcern and"
                                    + " replSetGetConfig)"
                            // Members of shards do not tell (error 51301): a mongos does.
                            : "the default write concern could not be asked for: " + e.getMessage());
        }
    }
}
