package io.tidemark.http;

import io.tidemark.control.ControlException;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Documents;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;

/** Operations, but their event stream. */
final class OperationEndpoints {
    private final SiteControl control;

    OperationEndpoints(SiteControl control) {
        this.control = control;
    }

    void addTo(Endpoints endpoints) {
        endpoints.add(
                "listOperations",
                request -> Endpoints.page(
                        control.inventory()
                                .operations(
                                        request.inQuery("kind"),
                                        request.inQuery("state").map(Operation.State::valueOf),
                                        request.cursor(),
                                        request.limit()),
                        Documents::operation));
        endpoints.add(
                "getOperation",
                request -> Answer.ok(Documents.operation(control.operations().get(inPath(request)))));
        endpoints.add("cancelOperation", request -> {
            var operation = control.operations().cancel(inPath(request));
            return Endpoints.accepted(operation);
        });
    }

    static OperationId inPath(ApiRequest request) throws ControlException {
        return Endpoints.value("operationId", request.inPath("operationId"), OperationId::new);
    }
}
