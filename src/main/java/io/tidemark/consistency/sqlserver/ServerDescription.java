package io.tidemark.consistency.sqlserver;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A server as it describes itself to our login.
 *
 * @param majorVersion 16 is SQL Server 2022
 * @param engineEdition of SERVERPROPERTY: 2 Standard, 3 Enterprise and Developer, 4 Express
 * @param defaultBackupFolder empty where the server has none
 * @param databases of users, as far as the login sees them, without database snapshots
 * @param rights on the server, that the login has of those it was asked for
 */
record ServerDescription(
        int majorVersion,
        String version,
        int engineEdition,
        String edition,
        String defaultBackupFolder,
        List<Database> databases,
        Set<String> rights) {
    static final String SEE_SUSPENSIONS = "VIEW SERVER PERFORMANCE STATE";
    static final String SUSPEND_SEVERAL = "ALTER SETTINGS";
    static final String END_SESSIONS = "ALTER ANY CONNECTION";
    static final String READ_FILES = "ADMINISTER BULK OPERATIONS";
    static final String SEE_FILES = "VIEW ANY DEFINITION";
    static final String SEE_DATABASES = "VIEW ANY DATABASE";
    static final List<String> ASKED =
            List.of(SEE_SUSPENSIONS, SUSPEND_SEVERAL, END_SESSIONS, READ_FILES, SEE_FILES, SEE_DATABASES);

    /** The first that has T-SQL snapshot backups. */
    private static final int VERSION_MINIMUM = 16;
    /** SQL Server 2025, the newest whose manual was read. */
    private static final int VERSION_MAXIMUM = 17;

    /**
     * Of version 16: before it, suspending several databases together that fails may leave some suspended of which the
     * server counts none. Source: KB5048510, cumulative update 16 (16.0.4165).
     */
    private static final int BUILD_MINIMUM_OF_SEVERAL = 4_165;

    private static final Set<Integer> EDITIONS = Set.of(2, 3, 4);

    ServerDescription {
        databases = List.copyOf(databases);
        rights = Set.copyOf(rights);
    }

    /**
     * @param state of sys.databases: {@code ONLINE}
     * @param primary false where it is a secondary replica of an availability group
     * @param mayAlter whether the login may suspend it alone
     */
    record Database(
            String name,
            String state,
            String recoveryModel,
            boolean readOnly,
            boolean primary,
            boolean mayAlter,
            boolean mayBackUp) {}

    /** What is to be suspended, or why that cannot be. */
    record Choice(List<Database> databases, Optional<String> refusal, List<String> warnings) {
        Choice {
            databases = List.copyOf(databases);
            warnings = List.copyOf(warnings);
        }

        List<String> names() {
            return databases.stream().map(Database::name).toList();
        }
    }

    /** Why its suspension would prove nothing, or cannot be ended by itself; empty when it is fit. */
    Optional<String> unfit() {
        if (!EDITIONS.contains(engineEdition)) {
            return Optional.of("server is %s (engine edition %d), which has no snapshot backups by T-SQL"
                    .formatted(edition, engineEdition));
        }
        if (majorVersion < VERSION_MINIMUM || majorVersion > VERSION_MAXIMUM) {
            return Optional.of("server is SQL Server %s, supported are versions %d (2022) and %d (2025)"
                    .formatted(version, VERSION_MINIMUM, VERSION_MAXIMUM));
        }
        for (var right : List.of(SEE_SUSPENSIONS, END_SESSIONS)) {
            if (!rights.contains(right)) {
                return Optional.of("the login lacks %s: GRANT %s".formatted(right, right));
            }
        }
        return Optional.empty();
    }

    /** @param wanted by name; empty: all */
    Choice choose(List<String> wanted) {
        var warnings = new ArrayList<String>();
        for (var name : wanted) {
            if (databases.stream().noneMatch(database -> database.name().equals(name))) {
                return refused("database %s is not there; there are %s".formatted(name, seen()));
            }
        }
        if (wanted.isEmpty() && !rights.contains(SEE_DATABASES)) {
            warnings.add("databases that the login may not see are not held (grant %s)".formatted(SEE_DATABASES));
        }
        var chosen = new ArrayList<Database>();
        for (var database : databases) {
            if (!wanted.isEmpty() && !wanted.contains(database.name())) {
                continue;
            }
            if ((database.state().equals("OFFLINE") && wanted.isEmpty()) || database.readOnly()) {
                warnings.add("database %s is %s: nothing writes to it, and it is not suspended"
                        .formatted(database.name(), database.readOnly() ? "READ_ONLY" : "OFFLINE"));
                continue;
            }
            var unfit = unfit(database);
            if (unfit.isPresent()) {
                return refused(unfit.get());
            }
            chosen.add(database);
        }
        return new Choice(chosen, ofAll(chosen), warnings);
    }

    private static Choice refused(String reason) {
        return new Choice(List.of(), Optional.of(reason), List.of());
    }

    private static Optional<String> unfit(Database database) {
        if (!database.state().equals("ONLINE")) {
            return Optional.of("database %s is %s and not ONLINE".formatted(database.name(), database.state()));
        }
        if (!database.primary()) {
            return Optional.of("database %s is a secondary replica of an availability group, whose writes come from its"
                            .formatted(database.name())
                    + " primary: name the primary's server");
        }
        if (!database.mayBackUp()) {
            return Optional.of(
                    "the login may not back up database %s: make it a user there, in role".formatted(database.name())
                            + " db_backupoperator");
        }
        return Optional.empty();
    }

    private Optional<String> ofAll(List<Database> chosen) {
        if (chosen.isEmpty()) {
            return Optional.of("no database of users is ONLINE and written to; there are " + seen());
        }
        if (chosen.size() > SqlServerSettings.DATABASES_MAXIMUM) {
            return Optional.of(
                    "%d databases are to be suspended, the server allows %d at once: name those with databases"
                            .formatted(chosen.size(), SqlServerSettings.DATABASES_MAXIMUM));
        }
        if (chosen.size() > 1 && !rights.contains(SUSPEND_SEVERAL)) {
            return Optional.of(
                    "the login lacks %s, which suspending several databases at once needs".formatted(SUSPEND_SEVERAL));
        }
        if (chosen.size() > 1 && majorVersion == VERSION_MINIMUM && build() < BUILD_MINIMUM_OF_SEVERAL) {
            return Optional.of(
                    "server is SQL Server %s, which may leave databases suspended where suspending several fails"
                                    .formatted(version)
                            + " (KB5048510): install cumulative update 16 (16.0.%d) or newer, or name one database"
                                    .formatted(BUILD_MINIMUM_OF_SEVERAL));
        }
        if (chosen.size() == 1 && !chosen.getFirst().mayAlter()) {
            return Optional.of("the login may not suspend database %s: grant ALTER on it"
                    .formatted(chosen.getFirst().name()));
        }
        return Optional.empty();
    }

    /** The third number of {@code 16.0.4165.4}; 0 where there is none. */
    private int build() {
        var numbers = version.split("\\.", -1);
        return numbers.length > 2 && numbers[2].matches("\\d{1,9}") ? Integer.parseInt(numbers[2]) : 0;
    }

    private String seen() {
        return databases.isEmpty()
                ? "none"
                : databases.stream().map(Database::name).collect(Collectors.joining(", "));
    }
}
