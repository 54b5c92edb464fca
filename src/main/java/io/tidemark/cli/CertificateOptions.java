package io.tidemark.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.document.CertificateCheck;
import io.tidemark.control.document.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Whose signature is wanted, and how the answer is shown. */
final class CertificateOptions {
    /** Evidence of a dozen databases, each at its limit. */
    private static final int BYTES_MAXIMUM = 32 << 20;

    private static final String STANDARD_INPUT = "-";

    @Option(
            names = "--key",
            paramLabel = "[HOST=]FINGERPRINT",
            description =
                    "Whose signature it has to be: 64 hex digits, as `tidemark status` shows it at the site that took"
                            + " it, `agents list` of agents. With HOST=, of the part of that host of several (local: the"
                            + " controller's own). May be repeated; without it any key will do, and is shown.")
    private List<String> keys = new ArrayList<>();

    @Option(names = "--json", description = "Print the answer as JSON.")
    private boolean json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser reads it
    private boolean help;

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    int check(Path file) {
        if (spec == null) {
            throw new AssertionError("options used before the command line was parsed");
        }
        var line = spec.commandLine();
        WantedKeys wanted;
        try {
            wanted = WantedKeys.of(keys);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(line, String.valueOf(e.getMessage()), e);
        }
        ObjectNode document;
        try {
            document = Json.object(read(file));
        } catch (NoSuchFileException e) {
            line.getErr().println("%s does not exist".formatted(file));
            return ExitCode.REFUSED;
        } catch (IOException | IllegalArgumentException e) {
            line.getErr().println("%s is no recovery point's document: %s".formatted(file, e.getMessage()));
            return ExitCode.REFUSED;
        }
        var check = CertificateCheck.of(document);
        var faults = new ArrayList<>(check.faults());
        faults.addAll(wanted.faults(check));
        var point = document.path("id").asText("?");
        if (json) {
            var answer = Json.object().put("id", point).put("holds", faults.isEmpty());
            check.signers().forEach(answer.putArray("signers")::add);
            faults.forEach(answer.putArray("faults")::add);
            line.getOut().println(Json.write(answer));
        } else if (faults.isEmpty()) {
            line.getOut()
                    .println("%s: %s, as signed by %s"
                            .formatted(point, document.path("consistency").asText(), signers(check)));
            if (keys.isEmpty()) {
                line.getOut()
                        .println(
                                "Whose key that is, `tidemark status` of the site tells, of agents `agents list`; --key asks for it.");
            }
        } else {
            line.getErr().println(point + " does not hold:");
            faults.forEach(fault -> line.getErr().println("  " + fault));
        }
        return faults.isEmpty() ? ExitCode.OK : ExitCode.REFUSED;
    }

    private static String signers(CertificateCheck check) {
        return (check.signers().size() == 1 ? "key " : "keys ") + String.join(", ", check.signers());
    }

    private static String read(Path file) throws IOException {
        try (InputStream in = file.toString().equals(STANDARD_INPUT) ? System.in : Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(BYTES_MAXIMUM + 1);
            if (bytes.length > BYTES_MAXIMUM) {
                throw new IOException("it has more than %d bytes".formatted(BYTES_MAXIMUM));
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
