/** Speaks the HTTP API of a site, for the command line and the quickstart. Knows nothing of the service's inside. */
@NullMarked
package io.tidemark.client;

import org.jspecify.annotations.NullMarked;
