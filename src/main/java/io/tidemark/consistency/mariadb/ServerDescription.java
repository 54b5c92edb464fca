package io.tidemark.consistency.mariadb;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * A server as it describes itself.
 *
 * @param variables by name; one that the server does not have is missing
 * @param positionsReadable whether it writes a binary log whose position the user may read
 */
record ServerDescription(Map<String, String> variables, boolean positionsReadable) {
    /** {@code BACKUP STAGE} is older; this is the oldest that is still maintained. */
    static final int VERSION_MINIMUM = 10_06;
    /** The newest major version whose stages were read about; a later one may have changed them. */
    static final int VERSION_MAJOR_MAXIMUM = 12;

    private static final Pattern VERSION = Pattern.compile("(\\d{1,3})\\.(\\d{1,2})\\..*");
    private static final int MINORS_A_MAJOR = 100;

    ServerDescription {
        variables = Map.copyOf(variables);
    }

    Optional<String> variable(String name) {
        return Optional.ofNullable(variables.get(name)).filter(value -> !value.isEmpty());
    }

    String version() {
        return variable("version").orElse("unknown");
    }

    /** Why its freeze would prove nothing; empty when it is fit. */
    Optional<String> unfit() {
        if (!version().contains("MariaDB")
                && !variable("version_comment").orElse("").contains("MariaDB")) {
            return Optional.of("server is not MariaDB but %s %s; MySQL is frozen by kind mysql"
                    .formatted(variable("version_comment").orElse("another"), version()));
        }
        var number = versionNumber();
        if (number.isEmpty()
                || number.getAsInt() < VERSION_MINIMUM
                || number.getAsInt() / MINORS_A_MAJOR > VERSION_MAJOR_MAXIMUM) {
            return Optional.of("server is MariaDB %s, supported are %d.%d to %d"
                    .formatted(
                            version(),
                            VERSION_MINIMUM / MINORS_A_MAJOR,
                            VERSION_MINIMUM % MINORS_A_MAJOR,
                            VERSION_MAJOR_MAXIMUM));
        }
        if (!variable("wsrep_on").orElse("OFF").equals("OFF")) {
            return Optional.of("server is a node of a Galera cluster (wsrep_on), whose other nodes write to it past the"
                    + " backup stages: that is not supported");
        }
        return Optional.empty();
    }

    private OptionalInt versionNumber() {
        var matcher = VERSION.matcher(version());
        return matcher.matches()
                ? OptionalInt.of(
                        Integer.parseInt(matcher.group(1)) * MINORS_A_MAJOR + Integer.parseInt(matcher.group(2)))
                : OptionalInt.empty();
    }

    boolean hidesPositions() {
        return variable("log_bin").orElse("OFF").equals("ON") && !positionsReadable;
    }
}
