package io.tidemark.consistency.mariadb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.mysqlprotocol.ServerAccess;
import io.tidemark.domain.QuiescerSpec;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MariaDbSettingsTest {

    private static ServerAccess settings(String... namesAndValues) throws ConsistencyException {
        var map = new HashMap<String, String>();
        for (int index = 0; index < namesAndValues.length; index += 2) {
            map.put(namesAndValues[index], namesAndValues[index + 1]);
        }
        return MariaDbSettings.of(new QuiescerSpec("mariadb", map));
    }

    @Test
    void withoutSettingsTheServerOnThisHostIsMeant() throws ConsistencyException {
        assertThat(settings().subject()).isEqualTo("127.0.0.1:3306");
        assertThat(settings().user()).isEqualTo("tidemark");
        assertThat(settings().local()).isTrue();
    }

    @Test
    void socketFileIsTheSubjectAndIsOnThisHost() throws ConsistencyException {
        var settings = settings("socketFile", "/run/mysqld/mysqld.sock");

        assertThat(settings.subject()).isEqualTo("/run/mysqld/mysqld.sock");
        assertThat(settings.local()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "port,0,1 to 65535",
        "port,five,not a number",
        "host,'',printable",
        "host,'one,two',not one name",
        "host,'db?user=root',not one name",
        "host,'db/mysql',not one name",
        "passwordFile,relative/file,absolute",
        "socketFile,run,absolute",
        "sslMode,prefer,verify-full",
        "caFile,/etc/ca.pem,needs sslMode",
        "statementTimeoutMillis,99,100 to 600000",
        "connectTimeoutMillis,-1,100 to 600000",
        "password,secret,not known",
        "database,orders,not known",
    })
    void badSettingIsRefusedByName(String name, String value, String expected) {
        assertThatThrownBy(() -> settings(name, value))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("setting " + name)
                .hasMessageContaining("quiescer mariadb")
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @CsvSource({"host,::1", "port,3307", "sslMode,trust"})
    void socketFileExcludesWhatReachesAnotherWay(String name, String value) {
        assertThatThrownBy(() -> settings("socketFile", "/run/s", name, value))
                .hasMessageContaining("setting socketFile")
                .hasMessageContaining("excludes " + name);
    }

    @Test
    void serverOnThisHostIsReachedPlainlyAndAnyOtherByTlsUnlessToldOtherwise() throws ConsistencyException {
        assertThat(settings("host", "::1").sslMode()).isEqualTo("disable");
        // Of the range kept for documentation: no host has it.
        assertThat(settings("host", "192.0.2.1").sslMode()).isEqualTo("verify-full");
        assertThat(settings("host", "192.0.2.1", "sslMode", "disable").sslMode())
                .isEqualTo("disable");
    }

    @Test
    void createdQuiescerHasTheServersAddressAndAsksNobody() throws ConsistencyException {
        var quiescer = new MariaDbQuiescerFactory()
                .create(new QuiescerSpec("mariadb", Map.of("host", "2001:db8::1", "port", "3307")));

        assertThat(quiescer.subject()).isEqualTo("[2001:db8::1]:3307");
        assertThat(quiescer.kind()).isEqualTo("mariadb");
    }
}
