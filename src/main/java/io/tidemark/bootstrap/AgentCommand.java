package io.tidemark.bootstrap;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs an agent, or enrols this host as one. */
@Command(
        name = "agent",
        description = {
            "Runs an agent in the foreground: this host's storage and applications, at the command of a controller.",
            "It connects to the controller and needs no open port. SIGTERM stops it; whatever is frozen then goes on."
        },
        mixinStandardHelpOptions = true)
public final class AgentCommand implements Callable<Integer> {
    private static final int TOKEN_BYTES_MAXIMUM = 4_096;
    private static final Path STANDARD_INPUT = Path.of("-");

    @Mixin
    private RoleOptions options = new RoleOptions();

    @Option(
            names = "--enrol-file",
            paramLabel = "FILE",
            description = {
                "Becomes the agent that an invitation names, and ends. FILE holds what \"tidemark agents invite\"",
                "printed at the controller; - for standard input."
            })
    private @Nullable Path enrolFile;

    @Override
    public Integer call() throws InterruptedException {
        return RoleExit.of(() -> {
            var settings = options.settings();
            if (enrolFile != null) {
                var enrolment = AgentRole.enrol(settings, token(enrolFile));
                System.out.printf("agent %s of %s%n", enrolment.agent(), enrolment.controller());
                return;
            }
            try (var agent = AgentRole.start(settings)) {
                agent.run();
            }
        });
    }

    /** Not an argument: other users of the host read those. */
    private static String token(Path file) throws SiteStartException {
        try (InputStream in = file.equals(STANDARD_INPUT) ? System.in : Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(TOKEN_BYTES_MAXIMUM);
            return new String(bytes, StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new SiteStartException("invitation %s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }
}
