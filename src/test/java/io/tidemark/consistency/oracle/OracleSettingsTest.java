package io.tidemark.consistency.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused before any database is asked: settings, and a driver that is not there. */
class OracleSettingsTest {
    @TempDir
    Path state;

    private OracleQuiescerFactory service() {
        return new OracleQuiescerFactory(Optional.empty(), state);
    }

    private static QuiescerSpec spec(String... namesAndValues) {
        var settings = new HashMap<String, String>();
        settings.put("service", "orcl");
        for (int index = 0; index < namesAndValues.length; index += 2) {
            settings.put(namesAndValues[index], namesAndValues[index + 1]);
        }
        return new QuiescerSpec("oracle", settings);
    }

    @Test
    void driverThatIsMissingIsToldWithItsSettingAndWhereToGetIt() {
        assertThatThrownBy(() -> new OracleQuiescerFactory(Optional.empty(), state)
                        .create(spec())
                        .check(List.of()))
                .hasMessageContaining("quiescers.oracle.driver")
                .hasMessageContaining("ojdbc17.jar")
                .hasMessageContaining("oracle.com");

        var absent = state.resolve("ojdbc17.jar");
        assertThatThrownBy(() -> new OracleQuiescerFactory(Optional.of(absent), state)
                        .create(spec())
                        .check(List.of()))
                .hasMessageContaining(absent + " is not a file that can be read");
    }

    @Test
    void jarThatIsAnotherIsToldByItsName() throws Exception {
        var jar = Files.createFile(state.resolve("other.jar"));

        assertThatThrownBy(() -> new OracleQuiescerFactory(Optional.of(jar), state)
                        .create(spec())
                        .check(List.of()))
                .hasMessageContaining(jar + " is not Oracle's JDBC driver for this Java");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "service=a b",
                "service=x)(HOST=other",
                "host=a b",
                "tls=maybe",
                "trustStoreFile=/etc/trust.p12",
                "mode=hot",
                "sid=orcl",
                "port=0"
            })
    void badSettingsAreRefused(String setting) {
        var pair = setting.split("=", 2);

        assertThatThrownBy(() -> service().create(spec(pair[0], pair[1])))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("setting " + pair[0] + " of quiescer oracle");
    }

    @Test
    void serviceIsNeededAndAnotherHostIsReachedByTls() throws ConsistencyException {
        assertThatThrownBy(() -> service().create(new QuiescerSpec("oracle", Map.of())))
                .hasMessageContaining("setting service of quiescer oracle is missing");
        assertThat(OracleSettings.of(spec("host", "192.0.2.1")).address()).contains("PROTOCOL=TCPS");
        assertThat(OracleSettings.of(spec()).address()).contains("PROTOCOL=TCP)");
    }
}
