package io.tidemark.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** For commands that destroy data: a person is asked, a script must say {@code --yes}. */
final class Confirmation {
    @Option(
            names = {"-y", "--yes"},
            description = "Do not ask.")
    private boolean yes;

    /** @throws ParameterException when it was not confirmed */
    void confirm(SiteOptions site, String consequence) {
        if (yes) {
            return;
        }
        if (!Terminal.STANDARD_INPUT.present()) {
            throw new ParameterException(
                    site.spec().commandLine(), "%s; say --yes when that is meant".formatted(consequence));
        }
        site.err().print(consequence + ". Go on? [y/N] ");
        site.err().flush();
        if (!answer().toLowerCase(Locale.ROOT).startsWith("y")) {
            throw new ParameterException(site.spec().commandLine(), "not confirmed; nothing was changed");
        }
    }

    private static String answer() {
        try {
            return new String(System.in.readNBytes(1), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}
