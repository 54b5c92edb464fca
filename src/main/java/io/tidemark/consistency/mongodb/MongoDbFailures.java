package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import java.io.IOException;

/** What goes wrong with one server, in words that name it and the way out. */
record MongoDbFailures(String subject) {

    ConsistencyException of(String reason) {
        return new ConsistencyException(new ConsistencyError.FreezeFailed(MongoDbSettings.KIND, subject, reason));
    }

    ConsistencyException of(IOException cause) {
        return new ConsistencyException(
                new ConsistencyError.FreezeFailed(MongoDbSettings.KIND, subject, reason(cause)), cause);
    }

    static String reason(IOException e) {
        var reason = String.valueOf(e.getMessage());
        return e instanceof MongoDbSession.Refused refused && refused.isForWantOfARight()
                ? reason + "; the rights it needs: tidemark quiesce explain mongodb"
                : reason;
    }
}
