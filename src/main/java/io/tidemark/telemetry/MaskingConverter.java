package io.tidemark.telemetry;

import ch.qos.logback.classic.pattern.MessageConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Logback's {@code %msg} with secrets as stars: the last net under types that print as stars anyway. Configure with
 * {@code <conversionRule conversionWord="masked" class="io.tidemark.telemetry.MaskingConverter"/>}.
 */
public final class MaskingConverter extends MessageConverter {
    private static final String MASK = "***";
    private static final Pattern SECRET =
            Pattern.compile("(?i)(\\bbearer\\s+|\\b(?:password|secret|token|authorization)\\s*[=:]\\s*)"
                    + "([^\\s,;&\"']+)|\\btdm_[A-Za-z0-9_-]{20,}");

    @Override
    public String convert(ILoggingEvent event) {
        return mask(super.convert(event));
    }

    static String mask(String text) {
        return SECRET.matcher(text)
                .replaceAll(found -> found.group(1) == null ? MASK : Matcher.quoteReplacement(found.group(1)) + MASK);
    }
}
