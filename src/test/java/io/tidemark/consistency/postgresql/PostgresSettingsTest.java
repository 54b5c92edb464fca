package io.tidemark.consistency.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.QuiescerSpec;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PostgresSettingsTest {

    private static PostgresSettings settings(String... namesAndValues) throws ConsistencyException {
        var map = new java.util.HashMap<String, String>();
        for (int index = 0; index < namesAndValues.length; index += 2) {
            map.put(namesAndValues[index], namesAndValues[index + 1]);
        }
        return PostgresSettings.of(new QuiescerSpec("postgresql", map));
    }

    @Test
    void withoutSettingsTheServerOnThisHostIsMeant() throws ConsistencyException {
        assertThat(settings().subject()).isEqualTo("127.0.0.1:5432/postgres");
    }

    @Test
    void socketFolderNamesTheSocket() throws ConsistencyException {
        assertThat(settings("socketFolder", "/run/postgresql", "port", "5433").subject())
                .isEqualTo("/run/postgresql/.s.PGSQL.5433/postgres");
    }

    @ParameterizedTest
    @CsvSource({
        "port,0,1 to 65535",
        "port,65536,1 to 65535",
        "port,five,not a number",
        "host,'',printable",
        "host,/run/postgresql,socketFolder=/run/postgresql",
        "maxLagMillis,99,100 to 600000",
        "passwordFile,relative/file,absolute",
        "socketFolder,run,absolute",
        "sslMode,sometimes,verify-full",
        "statementTimeoutMillis,99,100 to 600000",
        "connectTimeoutMillis,-1,100 to 600000",
        "password,secret,not known",
    })
    void badSettingIsRefusedByName(String name, String value, String expected) {
        assertThatThrownBy(() -> settings(name, value))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("setting " + name)
                .hasMessageContaining(expected);
    }

    @Test
    void hostAndSocketFolderTogetherAreRefused() {
        assertThatThrownBy(() -> settings("host", "::1", "socketFolder", "/run"))
                .hasMessageContaining("excludes host");
    }

    @Test
    void createdQuiescerHasTheServersAddressAndAsksNobody() throws ConsistencyException {
        var quiescer = new PostgresQuiescerFactory()
                .create(new QuiescerSpec("postgresql", Map.of("host", "::1", "database", "orders")));

        assertThat(quiescer.subject()).isEqualTo("[::1]:5432/orders");
    }
}
