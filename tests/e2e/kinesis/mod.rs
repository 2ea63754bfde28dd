//! Nodes whose log is Kinesis: an emulator in the process of the tests, and boto3 as the producer.

mod emulator;
