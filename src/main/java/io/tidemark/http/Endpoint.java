package io.tidemark.http;

/** Answers one operation of the OpenAPI file, on a virtual thread. */
@FunctionalInterface
interface Endpoint {
    /** Failures become problems by {@link Problems#of(Throwable)}. */
    Answer answer(ApiRequest request) throws Exception;
}
