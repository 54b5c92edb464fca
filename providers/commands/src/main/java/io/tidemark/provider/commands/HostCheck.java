package io.tidemark.provider.commands;

import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Collects what a provider needs of this host. Starts no program and changes nothing. */
public final class HostCheck {
    /** Bit of {@code CAP_SYS_ADMIN} in the sets of {@code /proc/self/status}: linux/capability.h. */
    private static final int CAP_SYS_ADMIN = 21;

    private static final String EFFECTIVE_SET = "CapEff:";
    private static final int HEXADECIMAL = 16;

    private final CommandRunner runner;
    private final Path processStatus;
    private final List<HostRequirement> found = new ArrayList<>();

    public HostCheck(CommandRunner runner) {
        this(runner, Path.of("/proc/self/status"));
    }

    HostCheck(CommandRunner runner, Path processStatus) {
        this.runner = runner;
        this.processStatus = processStatus;
    }

    public List<HostRequirement> found() {
        return List.copyOf(found);
    }

    public HostCheck met(String what, String detail) {
        found.add(new HostRequirement(what, State.MET, detail));
        return this;
    }

    public HostCheck limited(String what, String detail) {
        found.add(new HostRequirement(what, State.LIMITED, detail));
        return this;
    }

    public HostCheck lacking(String what, String detail) {
        found.add(new HostRequirement(what, State.LACKING, detail));
        return this;
    }

    /** Whether nothing that was looked at until now is lacking. */
    public boolean works() {
        return found.stream().noneMatch(requirement -> requirement.state() == State.LACKING);
    }

    /** Programs of one package, all of them needed. */
    public void programs(String debianPackage, List<String> programs) {
        programs(State.LACKING, "", debianPackage, programs);
    }

    /**
     * Programs of one package without which the provider does less.
     *
     * @param without what it does not do then
     */
    public void optionalPrograms(String without, String debianPackage, List<String> programs) {
        programs(State.LIMITED, without + ". ", debianPackage, programs);
    }

    private void programs(State absent, String without, String debianPackage, List<String> programs) {
        var missing = programs.stream()
                .filter(program -> runner.find(program).isEmpty())
                .collect(Collectors.joining(", "));
        var what = "programs of " + debianPackage;
        if (missing.isEmpty()) {
            met(what, String.join(", ", programs));
        } else {
            var detail = "%snot found: %s. Install them: apt-get install %s".formatted(without, missing, debianPackage);
            found.add(new HostRequirement(what, absent, detail));
        }
    }

    /**
     * Whether this process may do what only {@code CAP_SYS_ADMIN} allows.
     *
     * @param without what it cannot do else
     */
    public void administrator(State absent, String without) {
        boolean granted = (capabilities() >>> CAP_SYS_ADMIN & 1) == 1;
        var detail = granted
                ? "CAP_SYS_ADMIN is in the effective set of this account"
                : "%s. Run it as root".formatted(without);
        found.add(new HostRequirement("rights", granted ? State.MET : absent, detail));
    }

    /** The effective set, a bit a capability; what cannot be read is not granted. */
    private long capabilities() {
        try (var lines = Files.lines(processStatus)) {
            return lines.filter(line -> line.startsWith(EFFECTIVE_SET))
                    .mapToLong(line -> Long.parseUnsignedLong(
                            line.substring(EFFECTIVE_SET.length()).strip(), HEXADECIMAL))
                    .findFirst()
                    .orElse(0);
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }
}
