package io.tidemark.provider.commands;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostCheckTest {
    @TempDir
    Path folder;

    @Test
    void missingProgramsAreNamedWithTheirPackage() {
        var check = new HostCheck(new CommandRunner());

        check.programs("coreutils", List.of("cat", "ls"));
        check.optionalPrograms("It is slower", "no-package", List.of("no-such-program-a"));
        assertThat(check.works()).isTrue();
        check.programs("no-package", List.of("cat", "no-such-program-a", "no-such-program-b"));
        assertThat(check.works()).isFalse();

        assertThat(check.found())
                .containsExactly(
                        new HostRequirement("programs of coreutils", State.MET, "cat, ls"),
                        new HostRequirement(
                                "programs of no-package",
                                State.LIMITED,
                                "It is slower. not found: no-such-program-a."
                                        + " Install them: apt-get install no-package"),
                        new HostRequirement(
                                "programs of no-package",
                                State.LACKING,
                                "not found: no-such-program-a, no-such-program-b."
                                        + " Install them: apt-get install no-package"));
    }

    @Test
    void rightsAreThoseOfTheEffectiveSet() throws IOException {
        assertThat(administratorBy("CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\n"))
                .isTrue();
        assertThat(administratorBy("CapPrm:\t0000000000200000\nCapEff:\t0000000000200000\n"))
                .isTrue();
        assertThat(administratorBy("CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffdfffff\n"))
                .isFalse();
        assertThat(administratorBy("CapEff:\tnonsense\n")).isFalse();
        assertThat(administratorBy("")).isFalse();
    }

    @Test
    void rightsThatCannotBeReadAreNotThere() {
        var check = new HostCheck(new CommandRunner(), folder.resolve("absent"));

        check.administrator(State.LIMITED, "It cannot freeze");

        assertThat(check.found()).singleElement().satisfies(found -> {
            assertThat(found.state()).isEqualTo(State.LIMITED);
            assertThat(found.detail()).startsWith("It cannot freeze. ");
        });
    }

    private boolean administratorBy(String status) throws IOException {
        var file = Files.writeString(folder.resolve("status"), status);
        var check = new HostCheck(new CommandRunner(), file);
        check.administrator(State.LACKING, "Nothing works");
        return check.works();
    }
}
