package io.tidemark.consistency.filesystem;

import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Explanation.Setting;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.ConsistencyGroup;
import java.util.List;

/** What freezing the file systems of a group's volumes means, for people. They are no quiescer: every group has them. */
public final class FileSystemExplanation {
    private static final String LEAST_RIGHTS = """
            The service runs as root, or with CAP_SYS_ADMIN: the kernel lets nobody else freeze.
            """;

    private FileSystemExplanation() {}

    public static Explanation get() {
        return new Explanation(
                Certificate.FILE_SYSTEM,
                "Holds all writes to the file systems mounted from the group's volumes, by FIFREEZE, for the cut alone.",
                List.of(
                        "plan: what Tidemark itself stands on is refused, and so is /",
                        "arm: the freeze is written to a journal and synced; a guard process of its own is started",
                        "write out: syncfs, at most 6 rounds, before anybody is held",
                        "freeze: one after the other, in order of the volumes; the limit starts with the first",
                        "the volumes are cut",
                        "ask: the guard must say that all held until now; then they are thawed in reverse"),
                LEAST_RIGHTS,
                List.of(
                        Setting.text("freezeFileSystems", "true", "of the group: whether any is frozen"),
                        Setting.millis(
                                "freezeLimitMillis",
                                ConsistencyGroup.FREEZE_LIMIT_DEFAULT.toMillis(),
                                "of the group: longest time that anything may stay frozen, %d to %d"
                                        .formatted(
                                                ConsistencyGroup.FREEZE_LIMIT_MINIMUM.toMillis(),
                                                ConsistencyGroup.FREEZE_LIMIT_MAXIMUM.toMillis()))),
                List.of(
                        "the last round of writing out took more than a quarter of the limit: not frozen at all, CRASH or"
                                + " WriteOutTooLong",
                        "the cut outlasts the limit, or the service is stopped: the guard thaws at the limit; not held",
                        "the service is killed: the guard thaws at once",
                        "the guard is killed: its own child thaws, and the other way round; both: the service does; all three: the"
                                + " next start, by the journal",
                        "frozen by somebody else already: FreezeFailed; theirs is left alone"));
    }
}
