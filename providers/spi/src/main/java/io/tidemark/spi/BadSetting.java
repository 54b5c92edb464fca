package io.tidemark.spi;

import java.io.Serial;
import java.util.regex.Pattern;

/**
 * A setting of a provider is refused. Whoever read the settings from a file knows by the setting's name where it stands
 * there.
 */
public final class BadSetting extends IllegalArgumentException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final Pattern ENTRY = Pattern.compile("(.+)\\.([0-9]{1,6})");

    private final String setting;

    /**
     * @param setting as the provider was given it: an entry of a list by its place, from 0: {@code folders.0}
     * @param message names the setting, as {@link #told} tells it, and what is allowed
     */
    public BadSetting(String setting, String message) {
        super(message);
        this.setting = setting;
    }

    /** As the provider was given it. */
    public String setting() {
        return setting;
    }

    /** For people, who count from 1: {@code folders.0} is {@code entry 1 of folders}; others as they are. */
    public static String told(String setting) {
        var entry = ENTRY.matcher(setting);
        return entry.matches()
                ? "entry %d of %s".formatted(Long.parseLong(entry.group(2)) + 1, entry.group(1))
                : setting;
    }

    /** Of a name that the provider does not know. */
    public static BadSetting unknown(String setting, String provider, String advice) {
        var entry = ENTRY.matcher(setting);
        return new BadSetting(
                setting,
                "unknown setting %s of provider %s%s; %s"
                        .formatted(
                                entry.matches() ? entry.group(1) : setting,
                                provider,
                                entry.matches() ? " (%s)".formatted(told(setting)) : "",
                                advice));
    }
}
