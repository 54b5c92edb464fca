package io.tidemark.consistency.oracle;

import java.util.List;
import java.util.Optional;

/**
 * A database and its instance as they describe themselves. Source: Oracle Database Reference, V$INSTANCE, V$DATABASE.
 *
 * @param version {@code 19.0.0.0.0}
 * @param banner of V$VERSION, which names the edition
 * @param started when the instance was, by its own clock
 * @param parallel whether it is one of a cluster's
 * @param container 0: no container database, 1: the root of one, else a pluggable one
 */
record DatabaseDescription(
        String version,
        String banner,
        String instance,
        String started,
        boolean parallel,
        String name,
        String identifier,
        String openMode,
        String role,
        boolean archivesLogs,
        int container,
        String resetlogsChange) {
    /** 12.1 has RECOVER ... SNAPSHOT TIME. */
    private static final int VERSION_MINIMUM = 12;
    /** Oracle AI Database 26ai calls itself 23 too. */
    private static final int VERSION_MAXIMUM = 23;

    private static final int ROOT = 1;

    /** Why a recovery point of it would prove nothing; empty when it is fit. */
    Optional<String> unfit(boolean backupMode) {
        var major = version.split("\\.", 2)[0];
        if (!major.matches("\\d{1,3}")
                || Integer.parseInt(major) < VERSION_MINIMUM
                || Integer.parseInt(major) > VERSION_MAXIMUM) {
            return Optional.of("server is Oracle Database %s, supported are %d to %d"
                    .formatted(version, VERSION_MINIMUM, VERSION_MAXIMUM));
        }
        if (parallel) {
            return Optional.of(
                    "instance %s is one of a cluster (RAC), whose other instances write to the same files from"
                                    .formatted(instance)
                            + " other hosts: that is not supported");
        }
        if (container > ROOT) {
            return Optional.of("the service leads to a pluggable database, whose control files, undo and redo are its"
                    + " container's: name the service of the root");
        }
        if (!role.equals("PRIMARY")) {
            return Optional.of(
                    "database %s is a %s, whose writes come from its primary: name the primary".formatted(name, role));
        }
        if (!openMode.equals("READ WRITE")) {
            return Optional.of("database %s is %s and not open READ WRITE".formatted(name, openMode));
        }
        if (backupMode && !archivesLogs) {
            return Optional.of(
                    "database %s is in NOARCHIVELOG mode, in which there is no backup mode: use mode=snapshotTime"
                            .formatted(name));
        }
        return Optional.empty();
    }

    /** Whether it is still the same incarnation of the same database, open by the same start of the same instance. */
    boolean same(DatabaseDescription later) {
        return equals(later);
    }

    boolean enterprise() {
        return banner.contains("Enterprise");
    }

    /** Disk groups of Automatic Storage Management have no file system that could be frozen. */
    static Optional<String> managed(List<String> paths) {
        return paths.stream().filter(path -> path.startsWith("+")).findFirst();
    }
}
