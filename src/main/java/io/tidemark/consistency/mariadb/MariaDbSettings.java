package io.tidemark.consistency.mariadb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Explanation.Setting;
import io.tidemark.consistency.QuiescerSettings;
import io.tidemark.consistency.mysqlprotocol.ServerAccess;
import io.tidemark.domain.QuiescerSpec;
import java.util.List;

/** What is written about one server. */
final class MariaDbSettings {
    static final String KIND = "mariadb";
    static final List<Setting> ALL = ServerAccess.SETTINGS;

    private MariaDbSettings() {}

    static ServerAccess of(QuiescerSpec spec) throws ConsistencyException {
        return ServerAccess.of(QuiescerSettings.of(spec, Explanation.names(ALL)));
    }
}
