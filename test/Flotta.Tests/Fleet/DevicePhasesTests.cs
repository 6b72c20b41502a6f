using Flotta.Fleet.Devices;

namespace Flotta.Tests.Fleet;

public sealed class DevicePhasesTests
{
    [Theory]
    [InlineData(200, DevicePhase.Waiting)]
    [InlineData(208, DevicePhase.Registering)]
    [InlineData(400, DevicePhase.Enrolling)]
    [InlineData(401, DevicePhase.Enrolling)]
    [InlineData(403, DevicePhase.Enrolling)]
    public void An_enrolment_leads_to_waiting_or_to_registering(int status, object next) => DevicePhases.AfterEnrolment(status).ShouldBe((DevicePhase)next);

    [Theory]
    [InlineData(200, DevicePhase.Registered)]
    [InlineData(404, DevicePhase.Waiting)]
    [InlineData(401, DevicePhase.Enrolling)]
    [InlineData(403, DevicePhase.Enrolling)]
    [InlineData(500, DevicePhase.Registering)]
    [InlineData(503, DevicePhase.Registering)]
    [InlineData(0, DevicePhase.Registering)]
    public void A_registration_that_was_refused_starts_over_and_one_that_failed_is_repeated(int status, object next) =>
        DevicePhases.AfterRegistration(status).ShouldBe((DevicePhase)next);
}
