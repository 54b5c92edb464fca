/** The HTTP API: routes from the OpenAPI file, problems, limits, event streams. The only package that knows HTTP. */
@NullMarked
package io.tidemark.http;

import org.jspecify.annotations.NullMarked;
