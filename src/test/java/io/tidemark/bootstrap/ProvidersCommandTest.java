package io.tidemark.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ProvidersCommandTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int check(String... arguments) {
        return new CommandLine(new ProvidersCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private String configured(Path volumes) throws Exception {
        var config = "site:\n  name: home\nproviders:\n  image:\n    folders:\n      - %s\n".formatted(volumes);
        return Files.writeString(folder.resolve("site.yaml"), config).toString();
    }

    @Test
    void configuredProviderThatCanWorkIsToldSo() throws Exception {
        int exit = check("check", "--config", configured(Files.createDirectory(folder.resolve("volumes"))));

        assertThat(exit).isZero();
        assertThat(out.toString()).startsWith("image:").contains("native library", "folder " + folder);
        assertThat(folder.resolve("volumes")).isEmptyDirectory();
    }

    @Test
    void whatLacksIsNamedWithTheWayOut() throws Exception {
        int exit = check("check", "--json", "--config", configured(folder.resolve("absent")));

        assertThat(exit).isEqualTo(3);
        var document = new JsonObject(out.toString());
        assertThat(document.getBoolean("works")).isFalse();
        assertThat(document.encode()).contains("lacking", "mkdir -p " + folder.resolve("absent"));
    }

    @Test
    void providerThatIsNotConfiguredIsAskedWithoutSettings() {
        int exit = check("check", "image");

        assertThat(exit).isZero();
        assertThat(out.toString()).startsWith("image:").doesNotContain("settings");
    }

    @Test
    void withoutAnyConfiguredAllThereAreAreAsked() {
        check("check");

        assertThat(out.toString()).contains("image:\n", "lvm:\n");
    }

    @Test
    void policyOfALocalProviderSaysThatItNeedsNone() {
        int exit = check("policy", "image");

        assertThat(exit).isZero();
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).contains("provider image needs no rights of an account", "providers check image");
    }

    @Test
    void policyOfAnUnknownProviderIsRefused() {
        assertThat(check("policy", "floppy")).isEqualTo(3);
        assertThat(err.toString()).contains("provider floppy is not part of this distribution");
    }

    @Test
    void unknownProviderIsRefusedWithThoseThereAre() {
        int exit = check("check", "floppy");

        assertThat(exit).isEqualTo(3);
        assertThat(err.toString()).contains("provider floppy is not part of this distribution", "image", "lvm");
    }

    @Test
    void badSettingsOfAProviderAreNamed() throws Exception {
        int exit = check("check", "--config", configured(Path.of("relative")));

        assertThat(exit).isEqualTo(3);
        assertThat(out.toString()).contains("lacking", "not an absolute path: relative");
    }
}
