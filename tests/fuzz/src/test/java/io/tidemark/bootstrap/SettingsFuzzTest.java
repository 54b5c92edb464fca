package io.tidemark.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;

/** The configuration file, and one override of the command line. */
class SettingsFuzzTest {
    @FuzzTest
    void settings(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        try {
            assertThat(Settings.parse(text, "fuzzed").stateFolder()).isAbsolute();
        } catch (SettingsException e) {
            assertThat(e.getMessage()).isNotEmpty();
        }
        try {
            new SettingsReader().override(text);
        } catch (SettingsException e) {
            assertThat(e).hasMessageStartingWith("--set");
        }
    }
}
