package io.tidemark.consistency;

import java.util.List;

/**
 * What freezing one kind of application means, for people. Its factory writes it, next to the code that it tells of.
 *
 * @param kind as users write it
 * @param what in one sentence
 * @param steps in the order in which they are done, one sentence each
 * @param leastRights the account it needs, and the statements that make and grant it
 * @param settings all there are, by name
 * @param failures what is done when something fails, one sentence each
 */
public record Explanation(
        String kind,
        String what,
        List<String> steps,
        String leastRights,
        List<Setting> settings,
        List<String> failures) {

    public Explanation {
        steps = List.copyOf(steps);
        settings = List.copyOf(settings);
        failures = List.copyOf(failures);
    }

    /**
     * @param otherwise the value where none is written; empty: none
     * @param unit of a number, {@code ms}; empty where it has none
     * @param isSecret whether it names a file whose content is read and is, or guards, a secret: an agent lets its
     *     controller name those of one folder alone
     */
    public record Setting(String name, String otherwise, String unit, String meaning, boolean isSecret) {
        public static Setting text(String name, String otherwise, String meaning) {
            return new Setting(name, otherwise, "", meaning, false);
        }

        /** A file with a password, a key, or with certificates that say whom a password may be told. */
        public static Setting secretFile(String name, String meaning) {
            return new Setting(name, "", "", meaning, true);
        }

        public static Setting millis(String name, long otherwise, String meaning) {
            return new Setting(name, Long.toString(otherwise), "ms", meaning, false);
        }
    }

    /** Of a kind's settings, as {@link QuiescerSettings#of} wants to know them. */
    public static List<String> names(List<Setting> settings) {
        return settings.stream().map(Setting::name).toList();
    }
}
