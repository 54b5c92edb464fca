package io.tidemark.control;

import io.tidemark.domain.ExportId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.OperationId;
import io.tidemark.spi.RecoveryPointId;

/**
 * Which ids a request will make, fixed before it acts, so that its repetition after a crash makes the same things.
 *
 * @param idBody body of every id it makes
 * @param repeated whether an earlier try with the same idempotency key may have acted already
 */
public record Intent(String idBody, boolean repeated) {
    public OperationId operation() {
        return new OperationId("op-" + idBody);
    }

    public RecoveryPointId recoveryPoint() {
        return new RecoveryPointId("rp-" + idBody);
    }

    public LinkId link() {
        return new LinkId("ln-" + idBody);
    }

    /** @param number from 0 on, where a request makes several */
    public ExportId export(int number) {
        return new ExportId("ex-" + idBody + (number == 0 ? "" : "x" + number));
    }
}
