package io.tidemark.provider.cloud;

import io.tidemark.spi.BadSetting;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Checks settings as every cloud's provider does.
 *
 * @param provider its kind, such as {@code ebs}
 * @param settings as it was given them
 */
public record CloudSettings(String provider, Map<String, String> settings) {
    public static final String INSTALLATION = "installation";

    private static final Pattern INSTALLATION_FORM = Pattern.compile("[a-z0-9][a-z0-9-]{0,31}");

    public CloudSettings {
        settings = Map.copyOf(settings);
    }

    /**
     * One that must be there.
     *
     * @throws IllegalArgumentException naming the setting and what is allowed
     */
    public String needed(String key, Pattern form, String allowed) {
        var value = settings.get(key);
        if (value == null) {
            throw new IllegalArgumentException(
                    "provider %s needs the setting %s: %s".formatted(provider, key, allowed));
        }
        if (!form.matcher(value).matches()) {
            throw new BadSetting(key, "%s is %s, not \"%s\"".formatted(key, allowed, value));
        }
        return value;
    }

    /** The word that no other Tidemark of the account has. */
    public String installation() {
        return needed(INSTALLATION, INSTALLATION_FORM, "1 to 32 characters of [a-z0-9-]");
    }

    /** @param maximum at most 9,999 */
    public int number(String key, int byDefault, int maximum) {
        var value = settings.getOrDefault(key, String.valueOf(byDefault));
        if (!value.matches("[0-9]{1,4}") || Integer.parseInt(value) < 1 || Integer.parseInt(value) > maximum) {
            throw new BadSetting(key, "%s is a number from 1 to %d, not \"%s\"".formatted(key, maximum, value));
        }
        return Integer.parseInt(value);
    }
}
