/** `fr.errors`: the error classes. */
export {
  AbortedError,
  AlreadyExistsError,
  DataLossError,
  FailedPreconditionError,
  ForerunError,
  ForerunError as OpError,
  InternalError,
  InvalidArgumentError,
  NotFoundError,
  OutOfRangeError,
  ResourceExhaustedError,
  UnavailableError,
  UnimplementedError,
} from '@forerun/graph';
